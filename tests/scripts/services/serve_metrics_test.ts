import assert from "node:assert/strict";
import { csv, event, events } from "../../activities/_events.ts";
import { waitFor } from "../../harness.ts";
import { findFreePort } from "../../../scripts/services/require_free_port.ts";
import { runCommand, startDev, testHome } from "../_commands.ts";

Deno.test("metrics of files, records, times and of the SDK move when something happens", async () => {
  await using home = await testHome();
  const port = findFreePort();
  const env = { ...home.env, CLICKLEDGER_METRICS_PORT: String(port), CLICKLEDGER_RELIST_MS: "300" };
  await using dev = await startDev(env);
  assert.match(dev.output(), new RegExp(`Metrics: http://127\\.0\\.0\\.1:${port}/metrics`));
  const before = await scrape(port);
  assert.equal(before.get("clickledger_database_up"), 1);
  assert.equal(before.get('clickledger_files{state="loaded"}'), undefined);
  assert.equal(before.get("clickledger_worker_pool_size"), 6);

  const land = async (name: string, text: string) => {
    await Deno.writeTextFile(`${home.path}/.new`, text);
    await Deno.rename(`${home.path}/.new`, `${dev.run.inbox}/${name}`);
  };
  await land("a.csv", csv([...events(0, 5), event(7, { price: "x" })]));
  await land("b.csv", csv([...events(3, 8)]));
  await land("broken.csv", "a,b\n1,2\n");
  await waitFor(async () => {
    const rows = await home.sql`select from ingest.files where settled_at is not null`;
    return rows.length === 3;
  }, { what: "three files to be settled", timeoutMs: 30_000 });
  await waitFor(async () => (await scrape(port)).get("clickledger_file_lag_seconds_count") === 2, {
    what: "two lags",
  });

  const after = await scrape(port);
  const expected: Record<string, number> = {
    'clickledger_files{state="loaded"}': 2,
    'clickledger_files{state="failed"}': 1,
    'clickledger_rows{outcome="loaded"}': 8,
    'clickledger_rows{outcome="duplicate"}': 2,
    'clickledger_rows{outcome="rejected"}': 1,
    'clickledger_rejects_open{code="invalid_number"}': 1,
    "clickledger_chunk_seconds_count": 2,
    "clickledger_file_lag_seconds_count": 2,
    "clickledger_inbox_started_total": 3,
    "clickledger_inbox_waiting": 0,
    "clickledger_files_paused": 0,
    "clickledger_database_deadlocks_total": 0,
  };
  for (const [name, value] of Object.entries(expected)) assert.equal(after.get(name), value, name);
  assert.ok(after.get("clickledger_chunk_seconds_sum")! > 0);
  await waitFor(
    async () =>
      (await scrape(port)).get("clickledger_inbox_relists_total")! >
        (before.get("clickledger_inbox_relists_total") ?? 0),
    { what: "another listing" },
  );
  // Counted when the server has answered, which is after the file was settled.
  await waitFor(
    async () =>
      [...(await scrape(port)).keys()].some((name) =>
        name.startsWith("temporal_workflow_completed")
      ),
    { what: "a metric of the SDK" },
  );
  // Few labels: nothing that grows with files, products or users.
  assert.ok([...after.keys()].every((name) => !/a\.csv|P-\d|broken/.test(name)));

  const about = () =>
    dev.output().split("\n").filter((line) => line.startsWith("{"))
      .map((line) => JSON.parse(line))
      .filter(({ msg }) => /a\.csv|b\.csv|broken\.csv/.test(msg));
  await waitFor(() => about().length === 3, { what: "dev to tell of the files" });
  for (const { fileId, workflowId, runId } of about()) {
    assert.equal(typeof fileId, "number");
    assert.match(workflowId, /^ingest\//);
    assert.match(runId, /^[0-9a-f-]{36}$/);
  }
});

Deno.test("a metrics port that is taken is named, with the setting that changes it", async () => {
  await using home = await testHome();
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = taken.addr as Deno.NetAddr;
  const env = { ...home.env, CLICKLEDGER_METRICS_PORT: String(port) };
  const { code, stderr } = await runCommand("dev", [], { env });
  assert.equal(code, 1);
  assert.match(
    stderr,
    new RegExp(`Cannot start the metrics on 127.0.0.1:${port}: .*CLICKLEDGER_METRICS_PORT`),
  );
});

/** All samples of a scrape, by name and labels. */
async function scrape(port: number): Promise<Map<string, number>> {
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(lines.map((line) => {
    const at = line.lastIndexOf(" ");
    return [line.slice(0, at), Number(line.slice(at + 1))];
  }));
}
