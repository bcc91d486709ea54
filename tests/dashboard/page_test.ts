/**
 * The page in a real browser, against a real database, and once with the whole pipeline.
 *
 * @module
 */
import axe from "axe-core";
import assert from "node:assert/strict";
import { chromium, type Page } from "playwright-core";
import postgres from "postgres";
import { csv, event } from "../activities/_events.ts";
import { ingest } from "../activities/_ingest.ts";
import { tempDir, waitFor } from "../harness.ts";
import { runCommand, startDev, testHome } from "../scripts/_commands.ts";
import { fill, minutesAgo, showWarehouse } from "./_dashboard.ts";
import { eventLines } from "../event_lines.ts";

const CHROMIUM = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"]
  .find((path) => exists(path));

/** Where no browser is, these tests count as skipped; `.ci/run` installs one. */
const ignore = CHROMIUM === undefined;
if (ignore) console.error("No Chromium here: the tests of the dashboard's page are skipped");

Deno.test({ name: "the page shows what SQL says, and no error", ignore }, async () => {
  await using shown = await showWarehouse();
  await fill(shown.house);
  await using at = await openPage(`${shown.dashboard.url}/?range=1h`);
  const { page } = at;
  const text = (selector: string) => page.locator(selector).first().innerText();
  assert.equal(await text("#events"), "40");
  assert.equal(await text("#revenue"), "EUR 147.00");
  assert.equal(await text("#revenue-note"), "USD 21.00");
  assert.equal(await text("#purchases"), "8");
  assert.equal(await text('[data-state="loaded"] .value'), "1");
  assert.equal(await text('[data-state="failed"] .value'), "1");
  assert.equal(await text('[data-state="waiting"] .value'), "3");
  assert.match(await text("#rejects"), /invalid number · price\s+1/);
  assert.match(await text("#attention"), /broken\.csv \(2\)\s+failed\s+.*header/s);
  const link = await page.locator("#slowest a").first().getAttribute("href");
  assert.match(link ?? "", /^http:\/\/127\.0\.0\.1:1\/namespaces\/default\/workflows\/ingest%2F/);

  await page.locator('#attention [data-file="2"]').click();
  await page.locator("#why[open]").waitFor();
  const why = await text("#why");
  assert.match(why, /broken\.csv \(2\) is failed/);
  assert.match(why, /its first line is not the header/);
  assert.match(why, /deno task files show 2/);
  await page.keyboard.press("Escape");
  await page.locator('#slowest [data-file="1"]').click();
  await page.locator("#why[open]").waitFor();
  assert.match(await text("#why"), /42 records = 40 loaded \+ 1 duplicates \+ 1 rejected/);
  assert.match(await text("#why"), /invalid number\s+price\s+1\s+42/);
  await page.keyboard.press("Escape");

  // The query beside a figure gives the figure.
  const sql = await page.locator('[data-panel="totals"] pre').first().textContent();
  const [row] = await shown.house.admin.unsafe(sql ?? "");
  assert.equal(row?.events, "40");
});

Deno.test({ name: "the page takes data for text", ignore }, async () => {
  await using shown = await showWarehouse();
  const { house, dashboard } = shown;
  const evil = `<img src=x onerror="document.title='broken'">`;
  const rows = [event(0, { event_time: minutesAgo(2), product_name: evil, category: evil })];
  await ingest(house, await house.land("<b>a.csv", csv(rows)));
  await using at = await openPage(dashboard.url);
  assert.match(await at.page.locator("#products").innerText(), /<img src=x/);
  assert.match(await at.page.locator("#slowest").innerText(), /<b>a\.csv/);
  assert.equal(await at.page.locator("main img, main b").count(), 0);
  assert.equal(await at.page.title(), "Clickledger");
});

Deno.test({ name: "filters live in the address, and go back with it", ignore }, async () => {
  await using shown = await showWarehouse();
  await fill(shown.house);
  await using at = await openPage(`${shown.dashboard.url}/?range=6h&device=desktop`);
  const { page } = at;
  assert.equal(await page.locator('[name="device"]').inputValue(), "desktop");
  await expectText(page, "#events", "14");
  await page.locator('[name="device"]').selectOption("");
  await expectText(page, "#events", "40");
  assert.equal(new URL(page.url()).search, "?range=6h");
  await page.locator('[name="currency"]').selectOption("USD");
  await expectText(page, "#events", "1");
  await page.goBack();
  await expectText(page, "#events", "40");
  await page.goBack();
  await expectText(page, "#events", "14");
  assert.equal(await page.locator('[name="device"]').inputValue(), "desktop");
});

for (
  const [name, width, colorScheme] of [
    ["wide", 1280, "light"],
    ["dark", 1280, "dark"],
    ["a phone", 375, "light"],
  ] as const
) {
  Deno.test({ name: `axe finds nothing serious: ${name}`, ignore }, async () => {
    await using shown = await showWarehouse();
    await fill(shown.house);
    await using at = await openPage(shown.dashboard.url, { width, colorScheme });
    const { page } = at;
    await page.evaluate(axe.source);
    const found = await page.evaluate(async () => {
      // deno-lint-ignore no-undef -- in the page
      const { violations } = await (globalThis as { axe: typeof axe } & typeof globalThis).axe
        .run();
      return violations.map(({ id, impact, nodes }) => ({
        id,
        impact,
        nodes: nodes.slice(0, 3).map(({ html }) => html),
      }));
    });
    const serious = found.filter(({ impact }) => impact === "serious" || impact === "critical");
    assert.deepEqual(serious, []);
    const overflow = await page.evaluate("document.documentElement.scrollWidth - innerWidth");
    assert.ok(Number(overflow) <= 0, "the page is wider than the window");
  });
}

Deno.test({ name: "the page is walked by keyboard", ignore }, async () => {
  await using shown = await showWarehouse();
  await fill(shown.house);
  await using at = await openPage(shown.dashboard.url);
  const { page } = at;
  const focused = () =>
    page.evaluate("document.activeElement.name || document.activeElement.textContent");
  const walked: unknown[] = [];
  for (let n = 0; n < 6; n++) {
    await page.keyboard.press("Tab");
    walked.push(await focused());
  }
  assert.deepEqual(walked, [
    "To the figures",
    "range",
    "device",
    "category",
    "currency",
    "Theme: auto",
  ]);
  await page.keyboard.press("Enter");
  assert.equal(await page.locator("html").getAttribute("data-theme"), "light");
  await page.keyboard.press("Enter");
  assert.equal(await page.locator("html").getAttribute("data-theme"), "dark");
  // Onwards: the first query opens by keyboard, and stays open when figures change.
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  assert.equal(await page.locator("details[open]").count(), 1);
  const { house } = shown;
  await ingest(house, await house.land("b.csv", csv([event(70, { event_time: minutesAgo(1) })])));
  await expectText(page, "#events", "41");
  assert.equal(await page.locator("details[open]").count(), 1);
});

Deno.test({ name: "the page tells of an outage, and is live again after it", ignore }, async () => {
  await using shown = await showWarehouse();
  const { house, dashboard } = shown;
  await fill(house);
  await using at = await openPage(dashboard.url);
  const { page } = at;
  await using server = await otherDatabase(house.url);
  await server.allowConnections(false);
  await page.locator("#outage").waitFor({ state: "visible", timeout: 30_000 });
  assert.match(
    await page.locator("#outage").innerText(),
    /does not answer since .* Figures are those of/,
  );
  assert.equal(await page.locator("#events").innerText(), "40", "it keeps what it has");
  await server.allowConnections(true);
  await page.locator("#outage").waitFor({ state: "hidden", timeout: 30_000 });
  await ingest(house, await house.land("b.csv", csv([event(70, { event_time: minutesAgo(1) })])));
  await expectText(page, "#events", "41");
  at.expectErrors(/503/);
});

Deno.test({ name: "a file that lands is on the page within two seconds", ignore }, async () => {
  await using home = await testHome();
  await using dev = await startDev(home.env);
  await using files = await tempDir();
  const url = dev.run.dashboardUrl;
  assert.ok(url, "dev says where the dashboard is");
  await using at = await openPage(`${url}/?range=8w`);
  const { page } = at;
  await expectText(page, '[data-state="loaded"] .value', "0");
  const lines = eventLines({ seed: 3, rows: 50 });
  await Deno.writeTextFile(`${files.path}/new.csv`, lines);
  const landedAt = performance.now();
  await Deno.rename(`${files.path}/new.csv`, `${dev.run.inbox}/new.csv`);
  await expectText(page, '[data-state="loaded"] .value', "1");
  const seconds = (performance.now() - landedAt) / 1000;
  // Takes 0.2 to 0.5 s beside a running test suite; a page that only asked every ten seconds would mostly be later.
  assert.ok(seconds < 2, `${seconds} s`);
  assert.match(await page.locator("#slowest").innerText(), /new\.csv \(1\)/);
  const { stdout } = await runCommand("files", ["show", "1", "--format", "json"], {
    env: home.env,
  });
  assert.equal(JSON.parse(stdout).file.records, 50);
});

/** A page that was opened, has its figures, and had no error at its end. */
interface OpenPage extends AsyncDisposable {
  readonly page: Page;
  /** Errors of the console that are as they should be. */
  expectErrors(pattern: RegExp): void;
}

async function openPage(
  url: string,
  { width = 1280, colorScheme = "light" }: { width?: number; colorScheme?: "light" | "dark" } = {},
): Promise<OpenPage> {
  const open = await chromium.launch({
    executablePath: CHROMIUM!,
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
  const page = await open.newPage({ viewport: { width, height: 900 }, colorScheme });
  const errors: string[] = [];
  let expected = /(?!)/;
  page.on("console", (message) => message.type() === "error" && errors.push(message.text()));
  page.on("pageerror", (error) => errors.push(error.message));
  await page.goto(url);
  await page.locator("#live.is-live").waitFor({ timeout: 30_000 });
  return {
    page,
    expectErrors: (pattern) => expected = pattern,
    async [Symbol.asyncDispose]() {
      await open.close();
      assert.deepEqual(errors.filter((error) => !expected.test(error)), []);
    },
  };
}

/** Opens and closes a database from outside of it. */
async function otherDatabase(url: string) {
  const name = new URL(url).pathname.slice(1);
  const admin = postgres(Object.assign(new URL(url), { pathname: "/postgres" }).href, { max: 1 });
  await admin`select 1`;
  return {
    async allowConnections(allowed: boolean) {
      await admin.unsafe(`alter database ${name} allow_connections ${allowed}`);
      if (allowed) return;
      await admin`select pg_terminate_backend(pid) from pg_stat_activity where datname = ${name}`;
    },
    [Symbol.asyncDispose]: () => admin.end({ timeout: 1 }),
  };
}

async function expectText(page: Page, selector: string, text: string): Promise<void> {
  await waitFor(async () => await page.locator(selector).first().innerText() === text, {
    what: `${selector} to be ${text}`,
    timeoutMs: 15_000,
  });
}

function exists(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}
