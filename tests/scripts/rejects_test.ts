import assert from "node:assert/strict";
import { csv, event, type TestEvent } from "../activities/_events.ts";
import { textOf } from "../faults/_text_of.ts";
import { waitFor } from "../harness.ts";
import { runCommand, startDev, testHome } from "./_commands.ts";

const SECRET = "Secret correction 4711";

Deno.test("rejects are listed, shown, corrected, replayed and waived; files are replaced and unloaded", async (t) => {
  await using home = await testHome();
  const { env, sql } = home;
  await using dev = await startDev(env);
  const run = (name: string, ...args: string[]) => runCommand(name, args, { env });
  const land = async (name: string, rows: readonly TestEvent[], files: number) => {
    await Deno.writeTextFile(`${home.path}/.new`, csv(rows));
    await Deno.rename(`${home.path}/.new`, `${dev.run.inbox}/${name}`);
    await waitFor(
      async () =>
        (await sql`select from ingest.files where settled_at is not null`).length === files,
      {
        what: `${name} to be settled`,
        timeoutMs: 30_000,
      },
    );
  };
  const proven = async () => assert.deepEqual([...await sql`select * from ingest.verify()`], []);
  const line = (row: TestEvent) => csv([row]).split("\n")[1]!;
  await land("a.csv", [
    event(1),
    event(2, { price: "1,5" }),
    event(3, { price: "x", quantity: "0" }),
    event(4, { currency: "XYZ" }),
  ], 1);

  await t.step("list groups by fault, or lists each", async () => {
    const groups = await run("rejects", "list", "--format", "csv");
    assert.equal(groups.stdout.split("\n")[1], "invalid_number,price,2,1,1");
    const each = JSON.parse(
      (await run("rejects", "list", "--each", "--fault", "unknown_value", "--format", "json"))
        .stdout,
    );
    assert.deepEqual([each.length, each[0].line, each[0].state], [1, 5, "open"]);
  });

  await t.step("show marks the field that is at fault, and tells how to go on", async () => {
    const { stdout } = await run("rejects", "show", "1");
    assert.match(
      stdout,
      /Reject 1: line 3 of file 1 \(a\.csv\) is open\n {2}Column price: expected/,
    );
    assert.match(stdout, /^> price +1,5$/m);
    assert.match(stdout, /^ {2}currency +EUR$/m);
    assert.match(stdout, /deno task rejects replay 1 /);
    assert.equal((await run("rejects", "show", "99")).code, 1);
  });

  await t.step("replay leaves what is still broken open", async () => {
    const { code, stderr } = await run("rejects", "replay");
    assert.equal(code, 0, stderr);
    assert.match(stderr, /0 records loaded, 0 there already, 3 still rejected/);
  });

  await t.step("filters mean what they say, or are refused", async () => {
    const replay = (...args: string[]) => run("rejects", "replay", ...args, "--format", "json");
    const open = async (...args: string[]) => {
      const { code, stdout, stderr } = await replay(...args);
      assert.equal(code, 0, stderr);
      return JSON.parse(stdout).map((row: { open: number }) => row.open);
    };
    assert.deepEqual(await open("--column", "price"), [2]);
    assert.deepEqual(await open("--column", "price", "--fault", "out_of_range"), []);
    assert.deepEqual(await open("--column", "quantity"), [1]);
    const listed = await run("rejects", "list", "--column", "quantity", "--format", "csv");
    assert.deepEqual(listed.stdout.split("\n").slice(1, -1).map((row) => row.split(",")[1]), [
      "quantity",
    ]);
    assert.equal((await replay("1", "--file", "a.csv")).code, 2);
    assert.equal((await replay("1", "--column", "price")).code, 2);
    const waive = await run("rejects", "waive", "1", "--reason", "x", "--fault", "too_long");
    assert.equal(waive.code, 2);
    assert.equal((await replay("--column", "prise")).code, 2);
  });

  await t.step("replay with a correction loads the record at its line", async () => {
    const corrected = line(event(2, { price: "1.50", product_name: SECRET }));
    const { code, stdout, stderr } = await run(
      "rejects",
      "replay",
      "1",
      "--correct",
      corrected,
      "--format",
      "json",
    );
    assert.equal(code, 0, stderr);
    assert.deepEqual(JSON.parse(stdout), [{
      file_id: 1,
      loaded: 1,
      duplicates: 0,
      open: 0,
      truncated: 0,
      too_long: 0,
    }]);
    const [row] =
      await sql`select file_id::int, line_number, product_name from shop.events where price = 1.50`;
    assert.deepEqual({ ...row }, { file_id: 1, line_number: 3, product_name: SECRET });
    assert.match(
      (await run("rejects", "replay", "1")).stderr,
      /Cannot replay reject 1: it is replayed/,
    );
    await Deno.writeTextFile(`${home.path}/fixed.csv`, `${line(event(3))}\n`);
    const fromFile = await run(
      "rejects",
      "replay",
      "2",
      "--correct-file",
      `${home.path}/fixed.csv`,
    );
    assert.match(fromFile.stderr, /1 record loaded/);
    await proven();
  });

  await t.step("a correction is in no history and no log", async () => {
    const { Client } = await import("@temporalio/client");
    const { NativeConnection } = await import("@temporalio/worker");
    const connection = await NativeConnection.connect({ address: dev.run.temporalAddress });
    try {
      const client = new Client({ connection });
      const [{ inbox_id: inbox } = { inbox_id: "" }] = await sql`select inbox_id from ingest.files`;
      const history = await client.workflow.getHandle(`replay/${inbox}/1`).fetchHistory();
      const text = textOf(history);
      assert.match(text, /rejectId/);
      assert.ok(!text.includes(SECRET));
      assert.ok(!dev.output().includes(SECRET));
    } finally {
      await connection.close();
    }
  });

  await t.step("waive sets aside with a reason", async () => {
    assert.equal((await run("rejects", "waive", "--reason", "all")).code, 2);
    const waived = await run(
      "rejects",
      "waive",
      "--file",
      "a.csv",
      "--reason",
      "test data",
      "--format",
      "csv",
    );
    assert.equal(waived.stdout, "waived\n1\n");
    assert.match((await run("rejects", "show", "3")).stdout, /is waived: test data/);
    assert.equal((await run("rejects", "waive", "3", "--reason", "again")).code, 1);
    assert.match((await run("rejects", "list")).stderr, /No rejects/);
    await proven();
  });

  await t.step("files replace applies a correction under the same name", async () => {
    await land("b.csv", [event(20), event(21)], 2);
    await land("b.csv", [event(20, { price: "77.00" }), event(21), event(22)], 3);
    const [reject] = await sql`select faults from ingest.rejects where file_id = 3`;
    assert.equal(reject?.faults[0].code, "conflicting_event");
    const { code, stdout, stderr } = await run("files", "replace", "3", "--format", "json");
    assert.equal(code, 0, stderr);
    const [file] = JSON.parse(stdout);
    assert.deepEqual([file.file_id, file.loaded, file.duplicates, file.rejected], [3, 3, 0, 0]);
    const states = await sql`select state from ingest.files order by file_id`;
    assert.deepEqual(states.map(({ state }) => state), ["loaded", "unloaded", "loaded"]);
    assert.match(
      (await run("files", "replace", "1")).stderr,
      /no older version of a\.csv is known/,
    );
    await proven();
  });

  const landVersions = async (name: string, rows: readonly TestEvent[][]) => {
    const { max: before } = (await sql<{ max: number }[]>`
      select count(*)::int as max from ingest.files`)[0]!;
    for (const [index, some] of rows.entries()) await land(name, some, before + index + 1);
    return rows.map((_, index) => before + index + 1);
  };
  const priceOf = async (row: TestEvent) => {
    const rows = await sql`select price::text from shop.events where event_id = ${row.event_id!}`;
    return rows.map(({ price }) => price);
  };

  await t.step("files replace applies the newest of several corrections", async () => {
    const version = (price: string) => [event(30, { price }), event(31, { price })];
    const [v1, v2, v3] = await landVersions("c.csv", [
      version("1.00"),
      version("2.00"),
      version("3.00"),
    ]);
    const replaced = await run("files", "replace", String(v3), "--format", "json");
    assert.equal(replaced.code, 0, replaced.stderr);
    const [file] = JSON.parse(replaced.stdout);
    assert.deepEqual([file.loaded, file.duplicates, file.rejected], [2, 0, 0]);
    assert.match(replaced.stderr, new RegExp(`Taken out for it: ${v2}, ${v1}$`, "m"));
    assert.deepEqual(await priceOf(event(30)), ["3.00"]);
    const again = await run("files", "replace", String(v3));
    assert.equal(again.code, 0, again.stderr);
    await proven();
  });

  await t.step(
    "files replace leaves versions of other days, and takes out one at once",
    async () => {
      const day = (n: number, price = "5.00") => [event(n, { price })];
      const [monday, tuesday, corrected] = await landVersions("daily.csv", [
        day(40),
        day(41),
        day(41, "6.00"),
      ]);
      const both = await Promise.all([
        run("files", "replace", String(corrected)),
        run("files", "replace", String(corrected)),
      ]);
      assert.deepEqual(both.map(({ code }) => code), [0, 0], both.map((one) => one.stderr).join());
      assert.equal((await run("files", "replace", String(corrected))).code, 0);
      const states = await sql`
      select file_id::int, state from ingest.files where file_name = 'daily.csv' order by 1`;
      assert.deepEqual(states.map((row) => [row.file_id, row.state]), [
        [monday, "loaded"],
        [tuesday, "unloaded"],
        [corrected, "loaded"],
      ]);
      assert.deepEqual(await priceOf(event(41)), ["6.00"]);
      await proven();
    },
  );

  await t.step("files replace says what still contradicts, and what to do", async () => {
    const [other] = await landVersions("other.csv", [[event(50, { price: "1.00" })]]);
    const [older, newer] = await landVersions("d.csv", [
      [event(51)],
      [event(51), event(50, { price: "2.00" })],
    ]);
    const refused = await run("files", "replace", String(newer));
    assert.equal(refused.code, 1);
    assert.match(
      refused.stderr,
      new RegExp(
        `Cannot replace by file ${newer} in full: file ${other} \\(other\\.csv\\) holds 1 event of it`,
      ),
    );
    const unloaded = await run("files", "unload", String(other));
    assert.match(unloaded.stderr, /1 record of other files had contradicted it/);
    assert.deepEqual(await priceOf(event(50)), ["2.00"]);
    assert.equal((await run("files", "replace", String(newer))).code, 0);
    await sql`
      update ingest.files set state = 'loading', settled_at = null, paused_at = now()
      where file_id = ${older!}`;
    const waits = await run("files", "replace", String(newer));
    assert.equal(waits.code, 0, "it is no version in the way any more: it was replaced before");
    await sql`update ingest.files set replaced_by = null where file_id = ${older!}`;
    const loading = await run("files", "replace", String(newer));
    assert.equal(loading.code, 1);
    assert.match(
      loading.stderr,
      new RegExp(`file ${older}, an older version of it, is still loading`),
    );
    await sql`
      update ingest.files set state = 'unloaded', settled_at = now(), paused_at = null
      where file_id = ${older!}`;
    await proven();
  });

  await t.step("files unload takes a file out, and retry loads it again", async () => {
    const { code, stderr } = await run("files", "unload", "3");
    assert.equal(code, 0, stderr);
    assert.match(stderr, /To load it again: deno task files retry 3/);
    assert.equal((await sql`select from shop.events where file_id = 3`).length, 0);
    assert.match(
      (await run("files", "unload", "3")).stderr,
      /Cannot unload file 3: it is unloaded/,
    );
    const again = await run("files", "retry", "3", "--format", "json");
    assert.equal(JSON.parse(again.stdout)[0].loaded, 3, again.stderr);
    await proven();
  });
});
