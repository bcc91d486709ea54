import assert from "node:assert/strict";
import { readIdentity } from "../../activities/file_identity.ts";
import { LoadAhead } from "../../activities/load_ahead.ts";
import { beginAtOnce } from "../../activities/load_at_once.ts";
import { fileNameOf } from "../../domain/file_name_of.ts";
import type { IngestFileInput } from "../../domain/ingest_api.ts";
import { ingestWorkflowId } from "../../domain/workflow_ids.ts";
import { waitFor } from "../harness.ts";
import { csvOf, nextRecord, watchedInbox } from "./_watched_inbox.ts";

Deno.test("watchInbox() loads a file renamed into place without waiting for it to settle", async () => {
  await using at = await watchedInbox();
  const { starting, onStarting } = startsOf();
  const watch = at.watch({ settleMs: 600_000, onStarting });
  await watch.relist();
  await Deno.writeTextFile(`${at.inbox}/.a.csv.tmp`, csvOf(3));
  await Deno.rename(`${at.inbox}/.a.csv.tmp`, `${at.inbox}/a.csv`);
  await Deno.writeTextFile(`${at.folder}/b`, csvOf(4));
  await Deno.rename(`${at.folder}/b`, `${at.inbox}/b.csv`);
  const rows = await at.settled(2);
  assert.deepEqual(
    rows.map(({ file_name, state, records }) => [file_name, state, records]).sort(),
    [["a.csv", "loaded", 3], ["b.csv", "loaded", 4]],
  );
  assert.equal(watch.stats().started, 2);
  assert.deepEqual(starting, ["a.csv", "b.csv"]);
  assert.deepEqual(await at.violations(), []);
});

Deno.test("watchInbox() lets a file be begun before its workflow runs, which goes on with it", async () => {
  await using at = await watchedInbox();
  const taken: string[] = [];
  at.deps.loadAhead = new class<Turn, Result> extends LoadAhead<Turn, Result> {
    override take(...[workflowId, input, turn]: Parameters<LoadAhead<Turn, Result>["take"]>) {
      const begun = super.take(workflowId, input, turn);
      if (begun !== undefined) taken.push(fileNameOf(input.identity.path));
      return begun;
    }
  }();
  const watch = at.watch({ onStarting: (input) => beginAtOnce(at.deps, input) });
  await watch.relist();
  for (const [before, name] of ["a.csv", "b.csv"].entries()) {
    await Deno.writeTextFile(`${at.folder}/next`, csvOf(3));
    await Deno.rename(`${at.folder}/next`, `${at.inbox}/${name}`);
    await at.settled(before + 1);
  }
  assert.deepEqual(taken, ["a.csv", "b.csv"]);
  const rows = await at.sql`
    select f.workflow_id, f.run_id, c.attempt from ingest.files f join ingest.chunks c using (file_id)`;
  for (const { workflow_id, run_id, attempt } of rows) {
    const { runId } = await at.client.workflow.getHandle(workflow_id).describe();
    assert.deepEqual([run_id, attempt], [runId, 1]);
  }
  assert.deepEqual(await at.violations(), []);
});

Deno.test("watchInbox() tells of a file that was begun when its workflow is not run here", async () => {
  await using at = await watchedInbox({ worker: false });
  const { starting, letGo, onStarting } = startsOf();
  const watch = at.watch({ onStarting });
  await watch.relist();
  await Deno.writeTextFile(`${at.folder}/next`, csvOf(3));
  await Deno.rename(`${at.folder}/next`, `${at.inbox}/a.csv`);
  await waitFor(() => watch.stats().started === 1, { what: "a started file" });
  assert.deepEqual([starting, letGo], [["a.csv"], ["a.csv"]]);
  const [run] = await waitFor(async () => {
    const runs = await at.runs();
    return runs.length > 0 ? runs : null;
  }, { what: "a workflow" });
  await at.client.workflow.getHandle(run!.workflowId).terminate();
});

Deno.test("watchInbox() tells of no file behind a start that was not eager, until one is again", async () => {
  await using at = await watchedInbox();
  await Deno.writeTextFile(`${at.inbox}/a.csv`, csvOf(3));
  const found = await readIdentity(`${at.inbox}/a.csv`);
  // Its workflow runs, and no worker of this inbox has it.
  const running = await at.client.workflow.start("ingestFile", {
    workflowId: ingestWorkflowId(at.parts.inboxId, found!.identity),
    taskQueue: `nobody-${at.parts.inboxId}`,
  });
  const { starting, letGo, onStarting } = startsOf();
  const watch = at.watch({ onStarting });
  await waitFor(() => watch.stats().started === 1, { what: "a file that runs elsewhere" });
  for (const [before, name] of ["b.csv", "c.csv"].entries()) {
    await Deno.writeTextFile(`${at.folder}/next`, csvOf(3));
    await Deno.rename(`${at.folder}/next`, `${at.inbox}/${name}`);
    await at.settled(before + 1);
  }
  assert.deepEqual([starting, letGo], [["a.csv", "c.csv"], ["a.csv"]]);
  await running.terminate();
});

/** Names of the files that are told of before their start, and of those that were let go. */
function startsOf() {
  const [starting, letGo]: [string[], string[]] = [[], []];
  return {
    starting,
    letGo,
    onStarting({ identity }: IngestFileInput) {
      const name = fileNameOf(identity.path);
      starting.push(name);
      return () => void letGo.push(name);
    },
  };
}

Deno.test("watchInbox() loads what is copied and hard-linked, once it has settled", async () => {
  await using at = await watchedInbox();
  const watch = at.watch();
  await watch.relist();
  await Deno.writeTextFile(`${at.folder}/source`, csvOf(3));
  await Deno.copyFile(`${at.folder}/source`, `${at.inbox}/copied.csv`);
  await Deno.writeTextFile(`${at.folder}/other`, csvOf(2));
  await Deno.link(`${at.folder}/other`, `${at.inbox}/linked.csv`);
  const rows = await at.settled(2);
  assert.deepEqual(
    rows.map(({ file_name, state, records }) => [file_name, state, records]).sort(),
    [["copied.csv", "loaded", 3], ["linked.csv", "loaded", 2]],
  );
});

Deno.test("watchInbox() never takes a file that is opened, appended to and closed line by line", async () => {
  await using at = await watchedInbox();
  const watch = at.watch({ settleMs: 400, relistMs: 50 });
  await watch.relist();
  const path = `${at.inbox}/slow.csv`;
  const lines = csvOf(30).split(/(?<=\n)/);
  for (const line of lines) {
    await Deno.writeTextFile(path, line, { append: true });
    await new Promise((resolve) => setTimeout(resolve, 60));
  }
  const rows = await at.settled(1);
  assert.deepEqual(rows.map(({ state, records }) => [state, records]), [["loaded", 30]]);
});

Deno.test("watchInbox() starts one workflow per file, also with two watchers on one inbox", async () => {
  await using at = await watchedInbox();
  const watches = [at.watch({ relistMs: 100 }), at.watch({ relistMs: 100 })];
  await Promise.all(watches.map((watch) => watch.relist()));
  for (let i = 0; i < 20; i++) {
    await Deno.writeTextFile(`${at.folder}/next`, csvOf(2));
    await Deno.rename(`${at.folder}/next`, `${at.inbox}/${i}.csv`);
    await Deno.writeTextFile(`${at.inbox}/in place ${i}.csv`, csvOf(2));
  }
  const rows = await at.settled(40);
  assert.equal(rows.length, 40);
  assert.ok(rows.every(({ state }) => state === "loaded"));
  const runs = await waitFor(async () => {
    const found = await at.runs();
    const ended = found.filter(({ status }) => status === "COMPLETED");
    return ended.length >= 40 ? found : null;
  }, { what: "40 completed workflows" });
  assert.equal(runs.length, 40);
  assert.equal(new Set(runs.map(({ workflowId }) => workflowId)).size, 40);
});

const NOT_FILES = [
  ...["dangling.csv", "device.csv", "directory.csv", "itself.csv", "link.csv", "loop.csv"],
  ...["pipe.csv", "socket.csv"],
];

Deno.test("watchInbox() records entries that are no regular files once, and never reads them", async () => {
  await using at = await watchedInbox();
  await Deno.writeTextFile(`${at.folder}/secret`, csvOf(3));
  await Deno.symlink(`${at.folder}/secret`, `${at.inbox}/link.csv`);
  await Deno.symlink(`${at.folder}/nothing`, `${at.inbox}/dangling.csv`);
  await Deno.mkdir(`${at.inbox}/directory.csv`);
  await Deno.symlink(`${at.inbox}/loop.csv`, `${at.inbox}/loop.csv`);
  await Deno.symlink(at.inbox, `${at.inbox}/itself.csv`);
  await Deno.symlink("/dev/zero", `${at.inbox}/device.csv`);
  const fifo = await new Deno.Command("mkfifo", { args: [`${at.inbox}/pipe.csv`] }).output();
  assert.ok(fifo.success);
  const socket = Deno.listen({ transport: "unix", path: `${at.inbox}/socket.csv` });
  const watch = at.watch();
  await watch.relist();
  await Deno.writeTextFile(`${at.inbox}/directory.csv/inside.csv`, csvOf(1));
  await watch.relist();
  const again = at.watch();
  await again.relist();
  socket.close();
  const rows = await at.files();
  assert.deepEqual(
    rows.map(({ file_name, state, error_code, settled }) => [file_name, state, error_code, settled])
      .sort(),
    NOT_FILES.map((name) => [name, "failed", "refused", true]),
  );
  assert.deepEqual(await at.runs(), []);
  assert.equal(
    at.log.filter(({ msg }) => msg.includes("not a regular file")).length,
    NOT_FILES.length,
  );
});

/** Numbers of a device that never ends, and of one that is not there. */
const ZERO = [1, 5] as const;
const NO_DRIVER = [60, 0] as const;

Deno.test({
  name: "watchInbox() refuses a device without opening it",
  ignore: !canMakeDevices(),
  async fn() {
    await using at = await watchedInbox();
    assert.ok(makeDevice(`${at.inbox}/x.csv`, "c", ZERO));
    assert.ok(makeDevice(`${at.inbox}/y.csv`, "b", NO_DRIVER));
    const watch = at.watch();
    await watch.relist();
    await Deno.writeTextFile(`${at.folder}/landed`, csvOf(2));
    await Deno.rename(`${at.folder}/landed`, `${at.inbox}/z.csv`);
    const rows = await at.settled(3);
    assert.deepEqual(
      rows.map(({ file_name, state, error_code }) => [file_name, state, error_code]).sort(),
      [["x.csv", "failed", "refused"], ["y.csv", "failed", "refused"], ["z.csv", "loaded", null]],
    );
    // Only the activities of a workflow open anything.
    assert.equal((await at.runs()).length, 1);
  },
});

Deno.test("watchInbox() leaves names alone that do not ask to be ingested", async () => {
  await using at = await watchedInbox();
  const names = [".hidden.csv", "_private.csv", "a.csv.part", "b.tmp", "c.json", "d.csv~"];
  for (const name of names) await Deno.writeTextFile(`${at.inbox}/${name}`, csvOf(1));
  await Deno.mkdir(`${at.inbox}/sub`);
  await Deno.writeTextFile(`${at.inbox}/sub/inside.csv`, csvOf(1));
  const watch = at.watch();
  await Deno.writeTextFile(`${at.inbox}/E.CSV`, csvOf(1));
  await Deno.writeTextFile(`${at.inbox}/f.tsv`, csvOf(1).replaceAll(",", "\t"));
  await Deno.writeTextFile(`${at.inbox}/g.txt`, csvOf(1));
  const rows = await at.settled(3);
  await watch.relist();
  assert.deepEqual(
    rows.map(({ file_name, state }) => [file_name, state]).sort(),
    [["E.CSV", "loaded"], ["f.tsv", "loaded"], ["g.txt", "loaded"]],
  );
  assert.equal(watch.stats().settling + watch.stats().waiting, 0);
  assert.equal((await at.files()).length, 3);
});

Deno.test("watchInbox() copes with every name that a file can have", async () => {
  await using at = await watchedInbox();
  const names = [
    "a b.csv",
    `quo"te's.csv`,
    "new\nline.csv",
    "back\\slash.csv",
    "日本語 😀.csv",
    "-rf.csv",
    "{curly},comma.csv",
    "combining e\u0301.csv",
    "really \ufffd.csv",
    "\u202evsc.live \u05e9\u05dc\u05d5\u05dd.csv",
    "\x1b[2Jcleared\rreturned.csv",
    `${"x".repeat(251)}.csv`,
    `${"語".repeat(83)}xx.csv`,
  ];
  at.watch();
  for (const name of names) await Deno.writeTextFile(`${at.inbox}/${name}`, csvOf(1));
  const rows = await at.settled(names.length);
  assert.deepEqual(rows.map(({ file_name }) => file_name).sort(), [...names].sort());
  for (const { state, error_code } of rows) assert.deepEqual([state, error_code], ["loaded", null]);
  assert.deepEqual(await at.violations(), []);
});

Deno.test("watchInbox() reports a name that is not UTF-8 once", async () => {
  await using at = await watchedInbox({ worker: false });
  const script = `printf x > "$(printf '${at.inbox}/caf\\351.csv')"`;
  assert.ok((await new Deno.Command("sh", { args: ["-c", script] }).output()).success);
  const watch = at.watch();
  for (let i = 0; i < 4; i++) await watch.relist();
  const rows = await at.files();
  assert.deepEqual(
    rows.map(({ file_name, state, error_code }) => [file_name, state, error_code]),
    [["caf\ufffd.csv", "failed", "unreadable_name"]],
  );
  assert.equal(at.log.filter(({ msg }) => msg.includes("not valid UTF-8")).length, 1);
});

Deno.test("watchInbox() loads a new version under the name of one that is in flight", async () => {
  await using at = await watchedInbox();
  at.watch({ relistMs: 200 });
  for (let version = 0; version < 5; version++) {
    await Deno.writeTextFile(`${at.folder}/next`, csvOf(2));
    await Deno.rename(`${at.folder}/next`, `${at.inbox}/same.csv`);
  }
  await waitFor(async () => {
    const rows = await at.files();
    const entries = await Array.fromAsync(Deno.readDir(at.inbox));
    return rows.length > 0 && rows.every(({ settled }) => settled) && entries.length === 0;
  }, { what: "an empty inbox" });
  const rows = await at.files();
  assert.ok(rows.some(({ state }) => state === "loaded"));
  assert.deepEqual(await at.violations(), []);
});

Deno.test("watchInbox() ignores the times of a file but for changes", async () => {
  await using at = await watchedInbox();
  at.watch();
  for (const [name, time] of [["old", 0], ["future", 4_000_000_000]] as const) {
    await Deno.writeTextFile(`${at.folder}/${name}`, csvOf(1));
    await Deno.utime(`${at.folder}/${name}`, time, time);
    await Deno.rename(`${at.folder}/${name}`, `${at.inbox}/${name}.csv`);
  }
  const rows = await at.settled(2);
  assert.ok(rows.every(({ state }) => state === "loaded"));
});

Deno.test("watchInbox() is told of nothing, and the listing finds it nevertheless", async () => {
  await using at = await watchedInbox();
  // A watch of a directory that is moved away keeps telling nothing about the one that takes its place.
  const watch = at.watch({ settleMs: 100, relistMs: 300 });
  await watch.relist();
  await Deno.rename(at.inbox, `${at.folder}/elsewhere`);
  await Deno.mkdir(at.inbox);
  await Deno.symlink(`${at.folder}/nothing`, `${at.inbox}/link.csv`);
  await Deno.writeTextFile(`${at.inbox}/a.csv`, csvOf(1));
  const rows = await at.settled(2);
  assert.deepEqual(rows.map(({ state }) => state).sort(), ["failed", "loaded"]);
});

Deno.test("watchInbox() survives an inbox that is not there, and says so once", async () => {
  await using at = await watchedInbox();
  await Deno.remove(at.inbox);
  const watch = at.watch({ relistMs: 50 });
  for (let i = 0; i < 3; i++) await watch.relist();
  await Deno.mkdir(at.inbox);
  await Deno.writeTextFile(`${at.inbox}/a.csv`, csvOf(1));
  await at.settled(1);
  const about = (what: string) => at.log.filter(({ msg }) => msg.includes(what)).length;
  assert.equal(about(`inbox ${at.inbox} is away`), 1);
  assert.equal(about(`inbox ${at.inbox} is back`), 1);
});

Deno.test("watchInbox() loads an appended version, and keeps what the first one brought", async () => {
  await using at = await watchedInbox();
  at.watch({ relistMs: 200 });
  const content = csvOf(2);
  await Deno.writeTextFile(`${at.inbox}/a.csv`, content);
  await at.settled(1);
  await Deno.writeTextFile(`${at.inbox}/a.csv`, content + nextRecord());
  const rows = await at.settled(2);
  assert.deepEqual(rows.map(({ state, records }) => [state, records]), [["loaded", 2], [
    "loaded",
    3,
  ]]);
  const [{ count } = { count: 0 }] = await at.sql`select count(*)::int as count from shop.events`;
  assert.equal(count, 3);
  assert.deepEqual(await at.violations(), []);
});

Deno.test("watchInbox() tells files apart by more than inode, first lines, order of names and times", async () => {
  await using at = await watchedInbox({ archivePolicy: "keep" });
  at.watch();
  const path = `${at.inbox}/z.csv`;
  const begin = csvOf(20);
  await Deno.writeTextFile(path, begin + nextRecord());
  await at.settled(1);
  // The same inode, size and first lines, with the time of last week.
  const { ino, size } = await Deno.stat(path);
  const lastWeek = new Date(Date.now() - 8 * 86_400_000);
  // At once, so that nobody looks in between.
  Deno.writeTextFileSync(path, begin + nextRecord());
  Deno.utimeSync(path, lastWeek, lastWeek);
  const rewritten = await Deno.stat(path);
  assert.deepEqual([rewritten.ino, rewritten.size], [ino, size]);
  await at.settled(2);
  // A name that sorts before the last one.
  await Deno.writeTextFile(`${at.inbox}/a.csv`, begin + nextRecord());
  const rows = await at.settled(3);
  assert.deepEqual(
    rows.map(({ file_name, state, records }) => [file_name, state, records]),
    ["z.csv", "z.csv", "a.csv"].map((name) => [name, "loaded", 21]),
  );
  const [{ count } = { count: 0 }] = await at.sql`select count(*)::int as count from shop.events`;
  assert.equal(count, 23);
  assert.deepEqual(await at.violations(), []);
});

function makeDevice(
  path: string,
  kind: "b" | "c",
  [major, minor]: readonly [number, number],
): boolean {
  const args = [path, kind, String(major), String(minor)];
  return new Deno.Command("mknod", { args, stderr: "null" }).outputSync().success;
}

/** Only where this process has the right, as root in most containers has not. */
function canMakeDevices(): boolean {
  if (Deno.build.os !== "linux") return false;
  const directory = Deno.makeTempDirSync({ prefix: "clickledger-device-" });
  try {
    return makeDevice(`${directory}/x.csv`, "c", ZERO);
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
}
