import assert from "node:assert/strict";
import { sqlstateOf } from "../../activities/database.ts";
import { inOneGo } from "../../activities/statements/in_one_go.ts";
import { warehouse } from "./_warehouse.ts";

Deno.test("inOneGo() leaves nothing behind the rollback, and tells what failed first", async () => {
  await using house = await warehouse();
  const { sql } = house.deps;
  const note = (name: string) => async (tx: typeof sql) => {
    await tx`select 1`;
    await tx`select 2`;
    await tx`insert into ingest.manifests (inbox_id, file_name, error) values (${house.inboxId}, ${name}, 'x')`;
  };
  await assert.rejects(
    sql.begin((tx) =>
      inOneGo([
        note("before")(tx as unknown as typeof sql),
        Promise.resolve(tx`select 1 / (select 0)`),
        note("behind")(tx as unknown as typeof sql),
      ])
    ),
    (error) => sqlstateOf(error) === "22012",
  );
  // On every connection of the pool: what was sent late has had its turn.
  await Promise.all(Array.from({ length: 12 }, () => sql`select pg_sleep(0.02)`));
  assert.deepEqual([...await house.admin`select file_name from ingest.manifests`], []);
});
