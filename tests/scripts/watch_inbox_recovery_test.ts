import assert from "node:assert/strict";
import { readIdentity } from "../../activities/file_identity.ts";
import { ingestWorkflowId } from "../../domain/workflow_ids.ts";
import { waitFor } from "../harness.ts";
import { csvOf, nextRecord, type WatchedInbox, watchedInbox } from "./_watched_inbox.ts";

Deno.test("watchInbox() starts what the ledger has begun, under the stored workflow id", async () => {
  await using at = await watchedInbox();
  await Deno.writeTextFile(`${at.inbox}/begun.csv`, csvOf(2));
  await Deno.writeTextFile(`${at.inbox}/reopened.csv`, csvOf(3));
  const begun = await beginRow(at, "begun.csv");
  const reopened = await beginRow(at, "reopened.csv", `reopen/${at.parts.inboxId}/2`);
  // Rows of the ledger are outside the bound on new files.
  at.watch({ maxFilesInFlight: 1, settleMs: 600_000 });
  const rows = await at.settled(2);
  assert.deepEqual(
    rows.map(({ workflow_id, state, records }) => [workflow_id, state, records]),
    [[begun, "loaded", 2], [reopened, "loaded", 3]],
  );
  assert.deepEqual(await at.violations(), []);
});

Deno.test("watchInbox() starts a complete workflow again whose file is unfinished", async () => {
  await using at = await watchedInbox();
  const watch = at.watch();
  await Deno.writeTextFile(`${at.inbox}/a.csv`, csvOf(2));
  await at.settled(1);
  await waitFor(async () => {
    await watch.relist();
    return watch.stats().inFlight === 0;
  }, { what: "no file in flight" });
  await allComplete(at, 1);
  await at.sql`update ingest.files set settled_at = null`;
  await watch.relist();
  await watch.relist();
  const [row] = await at.settled(1);
  assert.equal(row?.state, "loaded");
  assert.deepEqual(await namesIn(at.parts.directories.archive), ["a.1.csv"]);
});

Deno.test("watchInbox() has a file brought on that a crash left between inbox and archive", async () => {
  await using at = await watchedInbox();
  const watch = at.watch();
  await Deno.writeTextFile(`${at.inbox}/a.csv`, csvOf(2));
  await at.settled(1);
  await watch.stop();
  await allComplete(at, 1);
  // As a kill between the two renames leaves it, with the workflow lost as well.
  await Deno.rename(`${at.parts.directories.archive}/a.1.csv`, `${at.inbox}/.settling-1`);
  await at.sql`update ingest.files set settled_at = null`;
  await Deno.writeTextFile(`${at.inbox}/.settling-999`, "somebody else's");
  const next = at.watch();
  for (let i = 0; i < 3; i++) await next.relist();
  await at.settled(1);
  assert.deepEqual(await namesIn(at.parts.directories.archive), ["a.1.csv"]);
  assert.deepEqual(await namesIn(at.inbox), [".settling-999"]);
  const told = at.log.filter(({ msg }) => msg.includes(".settling-"));
  assert.deepEqual(told.map(({ msg }) => msg), [
    `Cannot settle ${at.inbox}/.settling-999: the ledger has no file 999; remove it, or rename it ` +
    "to have it read",
  ]);
});

Deno.test("watchInbox() knows the files that stay in the inbox, and loads them into a new ledger", async () => {
  await using at = await watchedInbox({ archivePolicy: "keep" });
  const watch = at.watch();
  for (let i = 0; i < 5; i++) await Deno.writeTextFile(`${at.inbox}/${i}.csv`, csvOf(2));
  await at.settled(5);
  for (let i = 0; i < 3; i++) await watch.relist();
  const { started, settling, waiting } = watch.stats();
  assert.deepEqual({ started, settling, waiting }, { started: 5, settling: 0, waiting: 0 });
  await watch.stop();
  await allComplete(at, 5);
  await at
    .sql`truncate ingest.files, ingest.chunks, ingest.event_keys, ingest.duplicates, shop.events,
                        ingest.rejects, shop.minute_rollup_base, shop.minute_rollup_bulk,
                        shop.minute_rollup_delta, shop.product_rollup_base, shop.product_rollup_bulk,
                        shop.product_rollup_delta, shop.rollup_copies`;
  at.watch();
  const rows = await at.settled(5);
  assert.ok(rows.every(({ state, records }) => state === "loaded" && records === 2));
  assert.deepEqual(await at.violations(), []);
});

Deno.test("watchInbox() goes on behind files whose start Temporal refuses, and says so once", async () => {
  await using at = await watchedInbox();
  // More than are started at a time.
  const refused = 20;
  for (let i = 0; i < refused; i++) {
    await Deno.writeTextFile(`${at.inbox}/refused ${i}.csv`, csvOf(1));
    await beginRow(at, `refused ${i}.csv`, `reopen/${i}/${"x".repeat(2_000)}`);
  }
  await Deno.writeTextFile(`${at.inbox}/begun.csv`, csvOf(2));
  const begun = await beginRow(at, "begun.csv");
  await Deno.writeTextFile(`${at.inbox}/new.csv`, csvOf(3));
  const watch = at.watch();
  const rows = await at.settled(2);
  assert.deepEqual(
    rows.filter(({ settled }) => settled).map(({ file_name, state }) => [file_name, state]),
    [["begun.csv", "loaded"], ["new.csv", "loaded"]],
  );
  assert.equal(rows.find(({ file_name }) => file_name === "begun.csv")?.workflow_id, begun);
  for (let i = 0; i < 2; i++) await watch.relist();
  const told = at.log.filter(({ msg }) => msg.startsWith("Cannot"));
  assert.equal(told.length, 1, JSON.stringify(told));
  assert.match(told[0]?.msg ?? "", /^Cannot start the workflow of file \d+ and 19 more: .*length/i);
});

Deno.test("watchInbox() goes on behind an entry that cannot be looked at, and says so once", async () => {
  await using at = await watchedInbox();
  // The system lists it, and refuses its path, which is too long for it.
  const deep = await tooDeep(at.folder);
  await Deno.mkdir(`${at.folder}/landing`);
  const name = `${"n".repeat(200)}.csv`;
  for (const each of [name, "fine.csv"]) {
    await Deno.writeTextFile(`${at.folder}/landing/${each}`, csvOf(2));
  }
  await Deno.rename(`${at.folder}/landing`, `${deep}/inbox`);
  const inbox = `${deep}/inbox`;
  try {
    const watch = at.watch({ inbox });
    const rows = await at.settled(1);
    assert.deepEqual(rows.map(({ file_name, state }) => [file_name, state]), [[
      "fine.csv",
      "loaded",
    ]]);
    for (let i = 0; i < 2; i++) await watch.relist();
    await watch.stop();
  } finally {
    await Deno.rename(inbox, `${at.folder}/landing`);
  }
  const told = at.log.filter(({ msg }) => msg.startsWith("Cannot look at"));
  assert.equal(told.length, 1, JSON.stringify(at.log));
});

Deno.test("watchInbox() loads what a writer appends to a file after it was archived", async () => {
  await using at = await watchedInbox();
  const watch = at.watch({ relistMs: 100 });
  await watch.relist();
  const path = `${at.folder}/writing`;
  await Deno.writeTextFile(path, csvOf(2));
  using writer = await Deno.open(path, { append: true });
  await Deno.rename(path, `${at.inbox}/a.csv`);
  await at.settled(1);
  await writer.write(new TextEncoder().encode(nextRecord()));
  const rows = await at.settled(2);
  assert.deepEqual(
    rows.map(({ file_name, state, records }) => [file_name, state, records]),
    [["a.csv", "loaded", 2], ["a.csv", "loaded", 3]],
  );
  const [{ count } = { count: 0 }] = await at.sql`select count(*)::int as count from shop.events`;
  assert.equal(count, 3);
  assert.deepEqual(await namesIn(at.parts.directories.archive), ["a.2.csv"]);
  assert.deepEqual(await at.violations(), []);
  const told = at.log.filter(({ msg }) => msg.includes("went on after it was moved"));
  assert.equal(told.length, 1);
});

Deno.test("watchInbox() loads a file whose writer had not even completed the header when it failed", async () => {
  await using at = await watchedInbox();
  const watch = at.watch({ relistMs: 100 });
  await watch.relist();
  const [path, whole] = [`${at.folder}/writing`, csvOf(2)];
  await Deno.writeTextFile(path, whole.slice(0, 20));
  using writer = await Deno.open(path, { append: true });
  await Deno.rename(path, `${at.inbox}/a.csv`);
  const [failed] = await at.settled(1);
  assert.deepEqual([failed?.state, await namesIn(at.parts.directories.failed)], ["failed", [
    "a.1.csv",
  ]]);
  await writer.write(new TextEncoder().encode(whole.slice(20)));
  const rows = await at.settled(2);
  assert.deepEqual(
    rows.map(({ file_name, state, records }) => [file_name, state, records]),
    [["a.csv", "failed", null], ["a.csv", "loaded", 2]],
  );
  assert.deepEqual(await namesIn(at.parts.directories.failed), []);
  assert.deepEqual(await namesIn(at.parts.directories.archive), ["a.2.csv"]);
  assert.deepEqual(await at.violations(), []);
});

/** Writes the row that a claim makes, and whose workflow nobody runs. */
async function beginRow(at: WatchedInbox, name: string, workflowId?: string): Promise<string> {
  const found = await readIdentity(`${at.inbox}/${name}`);
  if (found === null) throw new Error(`Cannot begin ${name}: it is not there`);
  const { path, ino, sizeBytes, mtimeMs, ctimeMs } = found.identity;
  const { inboxId } = at.parts;
  const id = workflowId ?? ingestWorkflowId(inboxId, found.identity);
  await at.sql`
    insert into ingest.files (feed, contract_version, inbox_id, path, file_name, ino, size_bytes,
                              mtime_ms, ctime_ms, workflow_id, discovered_at)
    values ('shop_events', 1, ${inboxId}, ${path}, ${name}, ${ino}, ${sizeBytes}, ${mtimeMs},
            ${ctimeMs}, ${id}, now())`;
  return id;
}

/** A directory in which a name of 200 characters has a path beyond what the system takes. */
async function tooDeep(folder: string): Promise<string> {
  const longest = 4096 - 150;
  let path = folder;
  while (path.length + 2 < longest) {
    path += `/${"d".repeat(Math.min(200, longest - path.length - 1))}`;
  }
  await Deno.mkdir(path, { recursive: true });
  return path;
}

/** A file is settled a moment before its workflow ends. */
async function allComplete(at: WatchedInbox, count: number): Promise<void> {
  await waitFor(async () => {
    const runs = await at.runs();
    return runs.length === count && runs.every(({ status }) => status === "COMPLETED");
  }, { what: `${count} complete workflows` });
}

async function namesIn(directory: string): Promise<string[]> {
  return (await Array.fromAsync(Deno.readDir(directory))).map(({ name }) => name).sort();
}

Deno.test("watchInbox() reads manifests, archives them, and takes none for data", async () => {
  await using at = await watchedInbox();
  const quiet = new Date(Date.now() - 60_000);
  const land = async (name: string, text: string) => {
    await Deno.writeTextFile(`${at.inbox}/${name}`, text);
    await Deno.utime(`${at.inbox}/${name}`, quiet, quiet);
  };
  await land("a.csv.manifest.json", '{"rows": 2}');
  await land("b.csv.manifest.json", "not said well");
  await Deno.symlink("/etc/hostname", `${at.inbox}/c.csv.manifest.json`);
  await Deno.writeTextFile(`${at.inbox}/new.csv.manifest.json`, '{"rows": 1}');
  const watch = at.watch();
  await Deno.writeTextFile(`${at.inbox}/a.csv`, csvOf(2));
  await at.settled(1);
  await watch.relist();
  const checks = await at.sql`
    select file_name, verdict from ingest.manifest_checks where file_name <> 'new.csv' order by 1`;
  assert.deepEqual(checks.map(({ file_name, verdict }) => [file_name, verdict]), [
    ["a.csv", "complete"],
    ["b.csv", "unreadable"],
  ]);
  assert.equal((await at.files()).length, 1);
  const left = (await Array.fromAsync(Deno.readDir(at.inbox))).map(({ name }) => name);
  assert.ok(left.includes("c.csv.manifest.json"), "a link is not followed");
  assert.ok(!left.includes("a.csv.manifest.json"));
  assert.ok(at.log.some(({ msg }) => msg === "Cannot read the manifest: it is no JSON"));
});

Deno.test("watchInbox() deletes archived bytes of loaded files after their time, and of nothing else", async () => {
  await using at = await watchedInbox({ archivePolicy: "delete" });
  const first = at.watch();
  const text = csvOf(2);
  await Deno.writeTextFile(`${at.inbox}/a.csv`, text);
  await at.settled(1);
  await Deno.writeTextFile(`${at.inbox}/copy.csv`, text);
  await Deno.writeTextFile(`${at.inbox}/touched.csv`, csvOf(3));
  await Deno.writeTextFile(`${at.inbox}/bad.csv`, "a,b\n1,2\n");
  await at.settled(4);
  await first.stop();
  const paths = async () =>
    new Map(
      (await at.sql`select file_name, archive_path from ingest.files`).map((
        row,
      ) => [row.file_name, row.archive_path]),
    );
  const before = await paths();
  assert.ok([...before.values()].every((path) => path !== null), "moved as under the policy move");
  await Deno.utime(before.get("touched.csv"), new Date(), new Date());

  const day = at.watch({ deleteAfterMs: 86_400_000 });
  await day.relist();
  assert.deepEqual(await paths(), before, "not before their time");
  await day.stop();
  await at.sql`update ingest.files set settled_at = now() - interval '25 hours'`;
  const later = at.watch({ deleteAfterMs: 86_400_000 });
  await later.relist();
  const after = await paths();
  assert.deepEqual([after.get("a.csv"), after.get("copy.csv")], [null, null]);
  assert.ok(after.get("touched.csv") && after.get("bad.csv"));
  for (const [name, path] of before) {
    const exists = await Deno.lstat(path).then(() => true, () => false);
    assert.equal(exists, name === "touched.csv" || name === "bad.csv", name);
  }
  assert.ok(
    at.log.some(({ msg }) => msg === "Cannot delete an archived file: it is not as it was read"),
  );
  assert.deepEqual(await at.violations(), []);
});
