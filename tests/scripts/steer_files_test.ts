import assert from "node:assert/strict";
import { eventLines } from "../event_lines.ts";
import { waitFor } from "../harness.ts";
import { runCommand, startDev, testHome } from "./_commands.ts";

Deno.test("files pause stops a file, resume lets it go on, and both say why they cannot", async (t) => {
  await using home = await testHome();
  // Many small chunks: loading takes its time.
  const env = { ...home.env, CLICKLEDGER_CHUNK_BYTES: "2048" };
  await using dev = await startDev(env);
  const files = (...args: string[]) => runCommand("files", args, { env });
  const big = eventLines({ seed: 8, rows: 25_000 });
  await Deno.writeTextFile(`${home.path}/.big`, big);
  await Deno.rename(`${home.path}/.big`, `${dev.run.inbox}/big.csv`);
  await waitFor(
    async () =>
      (await home.sql`select from ingest.chunks where committed_at is not null`).length > 3,
    {
      what: "the first chunks",
      timeoutMs: 30_000,
    },
  );

  await t.step("pause", async () => {
    const { code, stdout, stderr } = await files("pause", "big.csv", "--format", "json");
    assert.equal(code, 0, stderr);
    const [file] = JSON.parse(stdout);
    assert.equal(file.state, "loading");
    assert.ok(file.loaded > 0 && file.loaded < 25_000);
    assert.match((await files("list")).stdout, /big\.csv .*loading .*paused/);
    const again = await files("pause", "1");
    assert.deepEqual([again.code, again.stderr.trim()], [
      1,
      "Cannot pause file 1: it is paused already",
    ]);
  });

  await t.step("others go on meanwhile", async () => {
    await Deno.writeTextFile(`${home.path}/.small`, eventLines({ seed: 9, rows: 20 }));
    await Deno.rename(`${home.path}/.small`, `${dev.run.inbox}/small.csv`);
    await waitFor(
      async () => (await home.sql`select from ingest.files where state = 'loaded'`).length === 1,
      { what: "the small file", timeoutMs: 20_000 },
    );
  });

  await t.step("resume", async () => {
    const { code, stderr } = await files("resume", "big.csv");
    assert.equal(code, 0, stderr);
    assert.match(
      (await files("resume", "big.csv")).stderr,
      /it is not paused|it is loaded already/,
    );
    const cancelled = await files("cancel", "big.csv", "--format", "json");
    assert.equal(cancelled.code, 0, cancelled.stderr);
    assert.equal(JSON.parse(cancelled.stdout)[0].state, "cancelled");
    assert.match(
      (await files("pause", "big.csv")).stderr,
      /Cannot pause file 1: it is cancelled already/,
    );
    assert.deepEqual([...await home.sql`select * from ingest.verify()`], []);
  });
});
