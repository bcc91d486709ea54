/**
 * More files than fit anything: what waits at the start, and more at once than the system can tell of. With as many as
 * you like: `deno task test --torture --files 100000`.
 *
 * @module
 */
import assert from "node:assert/strict";
import { readIdentity } from "../../activities/file_identity.ts";
import { ingestWorkflowId } from "../../domain/workflow_ids.ts";
import { waitFor } from "../harness.ts";
import { csvOf, type WatchedInbox, watchedInbox } from "../scripts/_watched_inbox.ts";
import { readNumber } from "./_read_number.ts";

const FILES = readNumber("CLICKLEDGER_TEST_FILES", 2_000);
/** More than the queue of events holds that the runtime keeps. */
const AT_ONCE = Math.min(1_200, FILES);
const RECORDS = 2;
/** New files in flight. */
const BOUND = 50;
/** A listing comes at the start and when events were lost, not by itself. */
const NEVER_MS = 3_600_000;
/** Ten files a second are slow. */
const TIMEOUT_MS = 60_000 + FILES * 100;
const LOOK_EVERY_MS = 200;

Deno.test(`${FILES} files, most there at the start, some landing faster than events are read → each loads once`, async () => {
  await using at = await watchedInbox();
  const landing = `${at.folder}/landing`;
  await Deno.mkdir(landing);
  for (let n = 0; n < FILES; n++) {
    Deno.writeTextFileSync(`${n < AT_ONCE ? landing : at.inbox}/${n}.csv`, csvOf(RECORDS));
  }
  const begun = performance.now();
  const watch = at.watch({ relistMs: NEVER_MS, maxFilesInFlight: BOUND });
  await watch.relist();
  const listings = watch.stats().listings;
  // Nothing reads events until all of them have landed.
  for (let n = 0; n < AT_ONCE; n++) Deno.renameSync(`${landing}/${n}.csv`, `${at.inbox}/${n}.csv`);

  let memory = 0;
  let most = 0;
  await waitFor(async () => {
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    memory = Math.max(memory, Deno.memoryUsage().rss);
    most = Math.max(most, watch.stats().inFlight);
    const [row] = await at.sql`
      select count(settled_at)::integer as settled from ingest.files`;
    return row?.settled === FILES;
  }, { what: `${FILES} settled files`, timeoutMs: TIMEOUT_MS });
  const seconds = (performance.now() - begun) / 1_000;

  const [counts] = await at.sql`
    select count(*)::integer as files, count(distinct workflow_id)::integer as workflows,
           count(distinct file_name)::integer as names, sum(loaded)::integer as loaded,
           count(*) filter (where state = 'loaded')::integer as complete,
           (select count(*)::integer from shop.events) as events
    from ingest.files`;
  const events = FILES * RECORDS;
  assert.deepEqual({ ...counts }, {
    ...{ files: FILES, workflows: FILES, names: FILES, complete: FILES },
    ...{ loaded: events, events },
  });
  assert.equal(watch.stats().started, FILES);
  assert.ok(most <= BOUND, `${most} files were in flight`);
  if (Deno.build.os === "linux" && AT_ONCE > 1_100) {
    assert.ok(
      watch.stats().listings > listings,
      "events were lost, and a listing made up for them",
    );
  }
  assert.deepEqual(await namesIn(at.inbox), []);
  assert.equal((await namesIn(at.parts.directories.archive)).length, FILES);
  assert.deepEqual(await at.violations(), []);
  console.log(
    `${FILES} files in ${seconds.toFixed(1)} s, ${(FILES / seconds).toFixed(0)} files/s, ` +
      `${Math.round(memory / 2 ** 20)} MiB resident, ${events} events, no violation`,
  );
});

Deno.test("More files stay in the inbox than are looked at in one go → none is forgotten", async () => {
  await using at = await watchedInbox({ worker: false });
  const names = Array.from({ length: 2_500 }, (_, n) => `${n}.csv`);
  for (const name of names) Deno.writeTextFileSync(`${at.inbox}/${name}`, "x");
  await settleAll(at, names);
  await Deno.writeTextFile(`${at.inbox}/0 new.csv`, csvOf(1));
  const watch = at.watch({ settleMs: 1 });
  await waitFor(() => watch.stats().started > 0, { what: "the new file to be started" });
  for (let i = 0; i < 2; i++) await watch.relist();
  const { started, waiting, settling } = watch.stats();
  assert.deepEqual({ started, waiting, settling }, { started: 1, waiting: 0, settling: 0 });
  for (const { workflowId } of await at.runs()) {
    await at.client.workflow.getHandle(workflowId).terminate();
  }
});

/** Writes the rows of files that are kept where they landed. */
async function settleAll(at: WatchedInbox, names: string[]): Promise<void> {
  const { inboxId } = at.parts;
  const rows = await Promise.all(names.map(async (name) => {
    const found = await readIdentity(`${at.inbox}/${name}`);
    assert.ok(found);
    const { path, ino, sizeBytes, mtimeMs, ctimeMs } = found.identity;
    return {
      ...{
        path,
        ino,
        file_name: name,
        size_bytes: sizeBytes,
        mtime_ms: mtimeMs,
        ctime_ms: ctimeMs,
      },
      workflow_id: ingestWorkflowId(inboxId, found.identity),
    };
  }));
  await at.sql`
    insert into ingest.files (feed, contract_version, inbox_id, path, file_name, ino, size_bytes,
                              mtime_ms, ctime_ms, workflow_id, state, discovered_at, settled_at)
    select 'shop_events', 1, ${inboxId}, r.path, r.file_name, r.ino, r.size_bytes, r.mtime_ms,
           r.ctime_ms, r.workflow_id, 'failed', now(), now()
    from jsonb_to_recordset(${at.sql.json(rows)}) as r
      (path text, file_name text, ino bigint, size_bytes bigint, mtime_ms float8, ctime_ms float8,
       workflow_id text)`;
}

async function namesIn(directory: string): Promise<string[]> {
  return (await Array.fromAsync(Deno.readDir(directory))).map(({ name }) => name);
}
