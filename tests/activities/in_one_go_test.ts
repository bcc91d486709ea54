import assert from "node:assert/strict";
import { sqlstateOf } from "../../activities/database.ts";
import { inOneGo } from "../../activities/statements/in_one_go.ts";
import { warehouse } from "./_warehouse.ts";

Deno.test("inOneGo() leaves nothing behind the rollback, and tells what failed first", async () => {
  await using house = await warehouse();
  const { sql } = house.deps;
  const note = (name: string) => async (tx: typeof sql) => {
    await tx`select 1`.catch(() => {});
    // Longer than a rollback takes: whoever does not wait for this one has left the transaction by then.
    await new Promise((resolve) => setTimeout(resolve, 100));
    await tx`insert into ingest.manifests (inbox_id, file_name, error) values (${house.inboxId}, ${name}, 'x')`;
  };
  let pieces: Promise<unknown>[] = [];
  await assert.rejects(
    sql.begin((tx) =>
      inOneGo(
        pieces = [
          note("before")(tx as unknown as typeof sql),
          Promise.resolve(tx`select 1 / (select 0)`),
          note("behind")(tx as unknown as typeof sql),
        ],
      )
    ),
    (error) => sqlstateOf(error) === "22012",
  );
  await Promise.allSettled(pieces);
  assert.deepEqual([...await house.admin`select file_name from ingest.manifests`], []);
});
