import { Client, Connection } from "@temporalio/client";
import assert from "node:assert/strict";
import { join } from "node:path";
import { eventLines } from "../event_lines.ts";
import { tempDir, waitFor } from "../harness.ts";
import { type Outcome, runCommand, startDev, testHome } from "./_commands.ts";

const BROKEN = "a,b\n1,2\n";

Deno.test("commands on what runs", async (t) => {
  await using home = await testHome();
  const { env, sql } = home;
  await using dev = await startDev(env);
  await using files = await tempDir();
  const run = (name: string, ...args: string[]) => runCommand(name, args, { env });
  const good = join(files.path, "good.csv");
  const broken = join(files.path, "broken.csv");
  await Deno.writeTextFile(good, eventLines({ seed: 1, rows: 300 }) + "not,an,event\n");
  await Deno.writeTextFile(broken, BROKEN);

  await t.step("ingest loads a copy, and tells of the bad record", async () => {
    const { code, stdout, stderr } = await run("ingest", "--format", "json", good);
    assert.equal(code, 0, stderr);
    assert.deepEqual(JSON.parse(stdout), [{
      file_id: 1,
      file_name: "good.csv",
      state: "loaded",
      records: 301,
      loaded: 300,
      duplicates: 0,
      rejected: 1,
    }]);
    assert.match(stderr, /files show 1/);
    assert.ok((await Deno.stat(good)).isFile);
    const shown = await run("files", "show", "good.csv");
    assert.match(shown.stdout, /301 = 300 loaded \+ 0 duplicates \+ 1 rejected/);
    assert.match(shown.stdout, /Expected 15 fields but got 3 │ 302/);
    const raw = await run("files", "show", "1", "--raw");
    assert.equal(raw.stdout, "Line 302: Expected 15 fields but got 3\n  not,an,event\n");
    const [, query] = /deno task sql "(.+)"/.exec(shown.stdout) ?? [];
    assert.equal(
      (await run("sql", query!, "--format", "csv")).stdout,
      "line,code,column,expected\n302,wrong_column_count,,15 fields but got 3\n",
    );
    const dry = await run("ingest", "--dry-run", "--format", "json", good);
    assert.equal(dry.code, 0, dry.stderr);
    const [{ state, duplicate_of }] = JSON.parse(dry.stdout);
    assert.deepEqual({ state, duplicate_of }, { state: "duplicate", duplicate_of: 1 });
    await waitFor(
      () => /Loaded good\.csv \(file 1\): 300 rows in .*1 rejected/.test(dev.output()),
      {
        what: "dev to report the file",
      },
    );
  });

  await t.step("ingest ends with 1 and says why a file cannot be loaded", async () => {
    const { code, stdout, stderr } = await run("ingest", broken);
    assert.equal(code, 1);
    assert.match(stdout, /broken\.csv │ failed/);
    assert.match(stderr, /its first line is not the header of this feed/);
    const next =
      /it is now in \S+\/failed\/broken\.2\.csv: correct it there and run `deno task files retry 2`/;
    assert.match(stderr, next);
    await waitFor(() => next.test(dev.output()), { what: "dev to report the failure" });
    const { stdout: shown } = await run("files", "show", "2");
    assert.match(shown, /Next\n {2}deno task files retry 2/);
  });

  await t.step("files retry loads the corrected bytes as a file of its own, once", async () => {
    const { archive_path: path } = (await show("broken.csv")).file;
    await Deno.writeTextFile(path, eventLines({ seed: 2, rows: 10 }));
    const { code, stdout, stderr } = await run("files", "retry", "2", "--format", "csv");
    assert.equal(code, 0, stderr);
    assert.equal(stdout.trim().split("\n")[1], "3,broken.csv,loaded,10,10,0,0");
    const again = await run("files", "retry", "2");
    assert.equal(again.code, 1);
    assert.match(again.stderr, /it was retried as file 3/);
    assert.match((await run("files", "retry", "1")).stderr, /Cannot retry file 1: it is loaded/);
  });

  await t.step("files cancel takes out what was loaded", async () => {
    const text = eventLines({ seed: 3, rows: 50 });
    const lock = Promise.withResolvers<void>();
    // Loading waits for this lock, so that the cancellation comes in the middle of it.
    const locked = sql.begin(async (tx) => {
      await tx`lock table ingest.event_keys in share mode`;
      await lock.promise;
    });
    await landCompressed(join(home.path, "inbox"), "slow.csv", text);
    const row = await waitFor(async () => {
      const found = await sql`select workflow_id from ingest.files
        where file_name = 'slow.csv.gz' and sha256 is not null`;
      return found[0];
    }, { what: "the plan of slow.csv.gz" });
    const cancelling = run("files", "cancel", "slow.csv.gz");
    await waitUntilCancelRequested(env.TEMPORAL_ADDRESS!, row.workflow_id);
    lock.resolve();
    await locked;
    const { code, stdout, stderr } = await cancelling;
    assert.equal(code, 0, stderr);
    assert.match(stdout, /slow\.csv\.gz │ cancelled │ +0 │ +0 │ +0 │ +0/);
    assert.match((await run("files", "cancel", "1")).stderr, /file 1: it is loaded already/);
  });

  await t.step("files of another inbox are refused with its id", async () => {
    const inbox = join(files.path, "other inbox");
    const other = { ...env, CLICKLEDGER_HOME: files.path, CLICKLEDGER_INBOX: inbox };
    const { code, stderr } = await runCommand("files", ["retry", "slow.csv.gz"], { env: other });
    const [row] = await sql`select inbox_id from ingest.files limit 1`;
    assert.equal(code, 1);
    assert.match(stderr, new RegExp(`it belongs to inbox ${row?.inbox_id}`));
  });

  await t.step("files list filters and limits", async () => {
    const { stdout } = await run(
      "files",
      "list",
      "--state",
      "loaded",
      "--limit",
      "1",
      "--format",
      "json",
    );
    assert.deepEqual(JSON.parse(stdout).map((row: { file_id: number }) => row.file_id), [3]);
    const table = (await run("files", "list")).stdout;
    assert.match(table, /header not +│\n/);
    const widths = table.split("\n").map((line) => line.length);
    assert.ok(Math.max(...widths) <= 120, table);
  });

  await t.step("generate starts, steers and stops the generator", async () => {
    const started = await run("generate", "--interval", "50ms..100ms", "--rate", "200");
    assert.equal(started.code, 0, started.stderr);
    const status = async () =>
      JSON.parse((await run("generate", "--status", "--format", "json")).stdout)[0];
    await waitFor(async () => (await status()).files >= 2, { what: "two generated files" });
    assert.equal((await run("generate", "--pause")).code, 0);
    assert.match((await run("generate", "--pause")).stderr, /Cannot pause: already paused/);
    assert.match((await run("generate", "--truth", "x")).stderr, /Cannot change --truth/);
    assert.equal((await run("generate", "--rate", "300")).code, 0);
    assert.equal((await status()).events_per_second, 300);
    const { stdout } = await run("generate", "--stop", "--format", "json");
    const [{ generator, files: landed, events }] = JSON.parse(stdout);
    assert.equal(generator, "stopped");
    await waitFor(async () => {
      const [row] = await sql`select count(*)::int as files, sum(loaded)::int as events
        from ingest.files where file_name like 'events-%' and state = 'loaded'`;
      return row?.files === landed && row?.events === events;
    }, { what: "all generated events to be loaded" });
  });

  await t.step("sql prints what PostgreSQL says, exactly, in three formats", async () => {
    const query = "select 9007199254740993::int8 as n, 1.10::numeric as d, null as e, 'a,\"b' as t";
    assert.equal(
      (await run("sql", query, "--format", "csv")).stdout,
      'n,d,e,t\n9007199254740993,1.10,,"a,""b"\n',
    );
    assert.equal(
      (await run("sql", query, "--format", "json")).stdout,
      '[\n  {"n": 9007199254740993, "d": 1.10, "e": null, "t": "a,\\"b"}\n]\n',
    );
    assert.match((await run("sql", query)).stdout, /│ 9007199254740993 │ 1\.10 │/);
    const piped = await runCommand("sql", ["-", "--format", "csv"], {
      env,
      stdin: "select 1 as one",
    });
    assert.equal(piped.stdout, "one\n1\n");
  });

  await t.step("sql points at a mistake, and may not write", async () => {
    const mistaken = await run("sql", "select 1,\n  nothing from shop.events");
    assert.equal(mistaken.code, 1);
    assert.match(
      mistaken.stderr,
      /column "nothing" does not exist\n {4}nothing from shop.events\n {4}\^/,
    );
    const writing = await run("sql", "delete from shop.events");
    assert.match(writing.stderr, /permission denied/);
    assert.match(
      (await run("sql", "select raw from ingest.rejects")).stderr,
      /permission denied for table rejects[^]*deno task files show FILE --raw does/,
    );
  });

  await t.step("sql --list shows everything with its comment", async () => {
    const { stdout } = await run("sql", "--list", "--format", "json");
    const rows: { name: string; comment: string | null }[] = JSON.parse(stdout);
    assert.ok(rows.some(({ name }) => name === "shop.events"));
    assert.ok(rows.some(({ name }) => name === "ingest.verify(only_file bigint)"));
    assert.deepEqual(rows.filter(({ comment }) => comment === null), []);
  });

  await t.step("migrate has nothing left to do", async () => {
    const { code, stdout, stderr } = await run("migrate", "--dry-run");
    assert.deepEqual([code, stdout], [0, ""]);
    assert.match(stderr, /Nothing to apply: the database is at \d{4}_\w+\.sql/);
  });

  await t.step("verify says what was proven, and ends with 1 on a violation", async () => {
    const proven = await run("verify");
    assert.equal(proven.code, 0, proven.stdout);
    assert.match(proven.stdout, /^Proven: \d+ loaded files with [\d,]+ events/);
    assert.match(
      (await run("verify", "good.csv")).stdout,
      /^Proven: file 1 \(good\.csv\) with 300 events/,
    );
    await sql`delete from shop.events where file_id = 1 and line_number = 2`;
    const found = await run("verify", "1", "--format", "json");
    assert.equal(found.code, 1);
    const violations = JSON.parse(found.stdout);
    assert.equal(violations.length, 1);
    assert.match(violations[0].violation, /has a key, but is not in shop\.events/);
    assert.equal((await run("verify")).code, 1);
    const stored = await sql`select violations from ingest.verifications order by verification_id`;
    assert.equal(stored.length, 4);
    assert.equal(stored[0]?.violations, 0);
  });

  async function show(name: string): Promise<{ file: { archive_path: string } }> {
    return JSON.parse((await run("files", "show", name, "--format", "json")).stdout);
  }
});

Deno.test("ingest --dry-run counts and explains before there is a database, and makes none", async () => {
  await using files = await tempDir();
  const path = join(files.path, "mixed.csv");
  const lines = eventLines({ seed: 1, rows: 100 }).trimEnd().split("\n");
  lines[10] = lines[10]!.replace(/,USD,/, ",dollars,");
  await Deno.writeTextFile(path, [...lines, "1,2", "3,4", ""].join("\n"));
  await Deno.writeTextFile(join(files.path, "broken.csv"), BROKEN);
  const env = { CLICKLEDGER_HOME: join(files.path, "home") };
  const dry = (...args: string[]): Promise<Outcome> =>
    runCommand("ingest", ["--dry-run", ...args], { env });

  const mixed = await dry("--format", "json", path);
  assert.equal(mixed.code, 0, mixed.stderr);
  assert.match(mixed.stderr, /There is no database yet: compared with an empty one/);
  const [{ faults, ...outcome }] = JSON.parse(mixed.stdout);
  assert.deepEqual(outcome, {
    file_name: "mixed.csv",
    state: "loaded",
    ...{ records: 102, loaded: 99, duplicates: 0, rejected: 3 },
    ...{ error_code: null, failure: null, duplicate_of: null, supersedes: null, conflicts: [] },
  });
  assert.deepEqual(faults.map((row: { rejects: number; lines: number[] }) => row.lines), [[
    102,
    103,
  ], [
    11,
  ]]);
  const both = await dry(files.path);
  assert.equal(both.code, 1);
  assert.match(both.stdout, /broken\.csv │ failed/);
  assert.match(both.stderr, /Column currency: expected an ISO 4217 code/);
  assert.equal(await Deno.stat(env.CLICKLEDGER_HOME).catch(() => null), null);
});

Deno.test("ingest starts everything for its own duration when nothing runs", async () => {
  await using home = await testHome();
  const path = join(home.path, "events.csv");
  await Deno.writeTextFile(path, eventLines({ seed: 5, rows: 20 }));
  const inbox = join(home.path, "landing", "zone");
  const env = { ...home.env, CLICKLEDGER_INBOX: inbox };
  const { code, stdout, stderr } = await runCommand("ingest", [path], { env });
  assert.equal(code, 0, stderr);
  assert.match(stdout, /events\.csv │ loaded │ +20 │ +20/);
  assert.ok(stderr.includes(`Inbox: created ${inbox}\n`), stderr);
  assert.equal(await Deno.stat(join(home.path, "run.json")).catch(() => null), null);
});

Deno.test("demo --exit loads every generated event and proves it", async () => {
  await using home = await testHome();
  const args = ["--events", "3000", "--seconds", "2", "--exit"];
  const { code, stdout, stderr } = await runCommand("demo", args, { env: home.env });
  assert.equal(code, 0, stderr);
  assert.match(stderr, /live 2 of 2 s/);
  assert.match(
    stdout,
    /Generated ([\d,]+) events in \d+ files; \1 loaded, 0 already there, 0 rejected/,
  );
});

async function landCompressed(inbox: string, name: string, text: string): Promise<void> {
  const hidden = join(inbox, `.${name}.tmp`);
  const compressed = new Response(text).body!.pipeThrough(new CompressionStream("gzip"));
  await Deno.writeFile(hidden, compressed);
  await Deno.rename(hidden, join(inbox, `${name}.gz`));
}

async function waitUntilCancelRequested(address: string, workflowId: string): Promise<void> {
  const connection = await Connection.connect({ address });
  const handle = new Client({ connection }).workflow.getHandle(workflowId);
  await waitFor(async () => {
    const { events } = await handle.fetchHistory();
    return events?.some((event) => event.workflowExecutionCancelRequestedEventAttributes);
  }, { what: "the cancellation to reach Temporal" });
  await connection.close();
}
