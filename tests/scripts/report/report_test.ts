import assert from "node:assert/strict";
import { generateBulk } from "../../../scripts/generate_bulk.ts";
import { REPORT_QUESTIONS } from "../../../scripts/report/report_questions.ts";
import { csv, event } from "../../activities/_events.ts";
import { ingest } from "../../activities/_ingest.ts";
import { type Warehouse, warehouse } from "../../activities/_warehouse.ts";
import { tempDir } from "../../harness.ts";
import { runCommand } from "../_commands.ts";

const IDS = REPORT_QUESTIONS.map(({ id }) => id);
const DAY_MS = 86_400_000;

Deno.test("report answers all ten over weeks of events", async (t) => {
  await using house = await warehouse({ chunkBytes: 4_000_000 });
  await using files = await tempDir();
  const directory = `${files.path}/csv`;
  await generateBulk({ directory, rows: 30_000, from: Date.now() - 28 * DAY_MS });
  for await (const { name } of Deno.readDir(directory)) {
    await ingest(house, await house.land(name, await Deno.readFile(`${directory}/${name}`)));
  }
  const run = runner(house, files.path);

  await t.step("as JSON, with the query of each", async () => {
    const { code, stdout, stderr } = await run("--last", "8w", "--format", "json");
    assert.equal(code, 0, stderr);
    const report = JSON.parse(stdout);
    assert.equal(report.currency, "USD");
    assert.deepEqual(report.answers.map(({ id }: { id: string }) => id), IDS);
    for (const { id, headline, query, rows } of report.answers) {
      assert.equal(typeof headline, "string", `${id} has nothing to say`);
      assert.ok(rows.length > 0, id);
      assert.equal((await house.admin.unsafe(query)).length, rows.length, `the query of ${id}`);
    }
    const [revenue] = report.answers;
    const [sum] = await house.admin`
      select sum(price * quantity) as revenue from shop.events where event_type = 'purchase'`;
    const told = revenue.rows.reduce(
      (cents: number, row: { revenue: string }) => cents + Math.round(Number(row.revenue) * 100),
      0,
    );
    assert.equal(told, Math.round(Number(sum?.revenue) * 100));
  });

  await t.step("as tables and plots", async () => {
    const { stdout } = await run("--last", "8w", "--tz", "Asia/Kolkata");
    for (const { title } of REPORT_QUESTIONS) assert.ok(stdout.includes(title), title);
    assert.doesNotMatch(stdout, /Nothing in this period/);
    assert.match(stdout, /Asia\/Kolkata, USD/);
    assert.match(stdout, /[▁▂▃▄▅▆▇█]{3}/);
    assert.match(stdout, /Mon [·░▒▓█ ]{60}/);
  });

  await t.step("as a page of its own", async () => {
    const out = `${files.path}/report.html`;
    const { code, stdout } = await run("--last", "8w", "--format", "html", "--out", out);
    assert.deepEqual([code, stdout], [0, ""]);
    const page = await Deno.readTextFile(out);
    assert.equal(page.match(/<svg /g)?.length, 8);
    assert.equal(page.match(/class="grid"/g)?.length, 2);
    const text = page.replaceAll(/xmlns(:\w+)?="[^"]*"/g, "");
    const foreign = /<script|<link|<img|src=|url\((?!#)|@import|https?:/.exec(text);
    assert.equal(foreign, null);
  });

  await t.step("as values for programs, of the questions chosen", async () => {
    const { stdout } = await run("--last", "8w", "--format", "csv", "--only", "hours");
    const lines = stdout.trim().split("\n");
    assert.equal(lines[0], "question,row,column,value");
    assert.equal(lines.length, 1 + 168 * 6);
  });
});

Deno.test("report says plainly that there is nothing", async () => {
  await using house = await warehouse();
  const { code, stdout } = await runner(house, house.inbox)();
  assert.equal(code, 0);
  assert.equal(stdout.match(/Nothing in this period\./g)?.length, 10);
  assert.match(stdout, /No events yet/);
});

Deno.test("report escapes what stands in the data, and keeps currencies apart", async () => {
  await using house = await warehouse();
  const minute = (n: number) => new Date(Date.now() - n * 60_000).toISOString();
  const rows = [
    event(0, {
      event_time: minute(9),
      product_name: "<img src=x onerror=alert(1)>",
      price: "2.00",
    }),
    event(10, { event_time: minute(7), currency: "USD", price: "900.00" }),
  ];
  await ingest(house, await house.land("a.csv", csv(rows.slice(0, 1))));
  await ingest(house, await house.land("b.csv", csv([rows[1]!])));
  await ingest(house, await house.land("c.csv", csv([event(15, { event_time: minute(5) })])));
  const run = runner(house, house.inbox);
  const page = await run("--last", "1h", "--format", "html");
  assert.doesNotMatch(page.stdout, /<img/);
  assert.match(page.stdout, /&lt;img src=x/);
  assert.match(page.stderr, /Money in EUR only; --currency shows USD/);
  const dollars = await run("--last", "1h", "--only", "revenue", "--currency", "usd");
  assert.match(dollars.stdout, /USD 1,800 for 2 pieces/);
});

Deno.test("report refuses what it cannot answer", async () => {
  for (
    const [args, message] of [
      [["--last", "7x"], /expected a period/],
      [["--last", "1h", "--from", "2026-01-01"], /either --last or --from/],
      [["--tz", "Moon"], /name of a time zone/],
      [["--only", "weather"], /expected --only to be one of revenue, funnel/],
      [["--format", "pdf"], /expected one of/],
    ] as const
  ) {
    const { code, stderr } = await runCommand("report", args);
    assert.equal(code, 2, stderr);
    assert.match(stderr, message);
  }
});

function runner({ url }: Warehouse, home: string) {
  const env = { DATABASE_URL: url, CLICKLEDGER_HOME: `${home}/home` };
  return (...args: string[]) => runCommand("report", args, { env });
}
