import assert from "node:assert/strict";
import { announceChanges, CHANGE_CHANNEL } from "../../activities/announce_changes.ts";
import { startDashboard } from "../../dashboard/start_dashboard.ts";
import { findFreePort } from "../../scripts/services/require_free_port.ts";
import { csv, event } from "../activities/_events.ts";
import { ingest } from "../activities/_ingest.ts";
import { tcpProxy } from "../activities/_tcp_proxy.ts";
import { warehouse } from "../activities/_warehouse.ts";
import { ownPostgres } from "../faults/_own_services.ts";
import { waitFor } from "../harness.ts";
import { fill, minutesAgo, showWarehouse } from "./_dashboard.ts";

interface Answer {
  panels: Record<string, { sql: string; rows: Record<string, unknown>[] }>;
  choices: Record<string, string[]>;
  waiting: number;
}

Deno.test("every figure of the board is what its SQL says", async () => {
  await using shown = await showWarehouse();
  const { house, dashboard } = shown;
  await fill(house);
  const board = await ask(dashboard.url, "range=1h");
  for (const [id, { sql, rows }] of Object.entries(board.panels)) {
    const found = await house.admin.unsafe(sql);
    assert.deepEqual(rows, JSON.parse(JSON.stringify(found)).map(numbersAsText(rows)), id);
  }
  const rows = (id: string) => board.panels[id]!.rows;
  assert.equal(Number(rows("totals")[0]?.events), 40);
  assert.deepEqual(rows("revenue").map(({ currency, revenue }) => [currency, revenue]), [
    ["EUR", "147.00"],
    ["USD", "21.00"],
  ]);
  assert.equal(rows("flow").reduce((sum, row) => sum + Number(row.events), 0), 40);
  assert.equal(rows("products").length, 5);
  const home = (await ask(dashboard.url, "range=1h&category=home")).panels.products!;
  assert.deepEqual(
    home.rows,
    rows("products").filter(({ category }) => String(category).startsWith("home")),
  );
  assert.equal(home.rows.length, 3);
  assert.match(home.sql, /shop\.product_sales/);
  const none = (await ask(dashboard.url, "range=1h&category=none")).panels.products!;
  assert.deepEqual(none.rows, []);
  assert.deepEqual(rows("devices").map(({ device }) => device), ["mobile", "desktop"]);
  assert.deepEqual(rows("rejects").map(({ code, column_name }) => [code, column_name]), [
    ["invalid_number", "price"],
  ]);
  assert.deepEqual(
    Object.fromEntries(rows("states").map((row) => [row.state, Number(row.files)])),
    {
      failed: 1,
      loaded: 1,
    },
  );
  assert.equal(rows("attention")[0]?.file_name, "broken.csv");
  assert.equal(rows("slowest").length, 1);
  assert.equal(board.waiting, 3);
  assert.deepEqual(board.choices, { category: ["home"], currency: ["EUR", "USD"] });
});

Deno.test("why a file is as it is comes from the ledger, by number only", async () => {
  await using shown = await showWarehouse();
  const { house, dashboard } = shown;
  await fill(house);
  const answer = await (await fetch(`${dashboard.url}/api/file?id=1`)).json();
  for (
    const [id, { sql, rows }] of Object.entries<{ sql: string; rows: Record<string, unknown>[] }>(
      answer,
    )
  ) {
    const found = await house.admin.unsafe(sql);
    assert.deepEqual(rows, JSON.parse(JSON.stringify(found)).map(numbersAsText(rows)), id);
  }
  assert.equal(answer.file.rows[0].records, 42);
  for (const id of ["", "x", "1 or true", "-1"]) {
    const response = await fetch(`${dashboard.url}/api/file?id=${encodeURIComponent(id)}`);
    assert.equal(response.status, 400, id);
    await response.body?.cancel();
  }
});

Deno.test("filters leave out what they name", async () => {
  await using shown = await showWarehouse();
  await fill(shown.house);
  const { url } = shown.dashboard;
  const events = async (query: string) =>
    Number((await ask(url, query)).panels.totals?.rows[0]?.events);
  assert.equal(await events("range=1h&device=desktop"), 14);
  assert.equal(await events("range=1h&category=home"), 20);
  assert.equal(await events("range=1h&currency=USD"), 1);
  assert.equal(await events("range=15m"), 16, "from the begin of the minute on");
  const bad = await fetch(`${url}/api/board?device=tv`);
  assert.equal(bad.status, 400);
  assert.match((await bad.json()).error, /no device is called so/);
});

Deno.test("the dashboard lets nobody in but its own page", async () => {
  await using shown = await showWarehouse();
  const { url } = shown.dashboard;
  const port = Number(new URL(url).port);
  for (const path of ["/", "/app.js", "/charts.js", "/style.css", "/echarts.js", "/icon.svg"]) {
    const response = await fetch(url + path);
    assert.equal(response.status, 200, path);
    const policy = response.headers.get("content-security-policy") ?? "";
    assert.match(policy, /^default-src 'none'; script-src 'self'; style-src 'self'/);
    assert.doesNotMatch(policy, /unsafe|\*|https?:/);
    assert.equal(response.headers.get("x-content-type-options"), "nosniff");
    await response.body?.cancel();
  }
  assert.match(await rawGet(port, `127.0.0.1:${port}`), /^HTTP\/1.1 200/);
  assert.match(await rawGet(port, "shop.example:80"), /^HTTP\/1.1 421/, "a name made to lead here");
  for (
    const path of ["/../deno.json", "/%2e%2e/deno.json", "/toString", "/api", "/page/index.html"]
  ) {
    const response = await fetch(url + path);
    assert.equal(response.status, 404, path);
    await response.body?.cancel();
  }
  const posted = await fetch(`${url}/api/board`, { method: "POST" });
  assert.equal(posted.status, 405);
  await posted.body?.cancel();
});

Deno.test("commits are announced once for many, and also after the connection was lost", async () => {
  await using shown = await showWarehouse();
  const { house, dashboard } = shown;
  using changes = await followChanges(dashboard.url);
  await waitFor(async () => {
    const [row] = await house.admin`
      select count(*)::int as listening from pg_stat_activity
      where datname = current_database() and query ilike 'listen%'`;
    return row?.listening === 1;
  }, { what: "the dashboard to listen" });
  const before = changes.count();
  for (let n = 0; n < 20; n++) {
    const rows = [event(n, { event_time: minutesAgo(1) })];
    await ingest(house, await house.land(`${n}.csv`, csv(rows)));
  }
  await waitFor(() => changes.count() > before, { what: "a change" });
  assert.ok(changes.count() - before < 20, `${changes.count() - before} for 20 files`);

  await house.admin`
    select pg_terminate_backend(pid) from pg_stat_activity
    where datname = current_database() and query ilike 'listen%'`;
  const lost = changes.count();
  await waitFor(() => changes.count() > lost, {
    what: "the connection to be back",
    timeoutMs: 20_000,
  });
  const back = changes.count();
  await ingest(
    house,
    await house.land("late.csv", csv([event(50, { event_time: minutesAgo(1) })])),
  );
  await waitFor(() => changes.count() > back, { what: "a change after the outage" });
});

Deno.test("a database that goes silent is said to be away, and is asked again", async () => {
  await using house = await warehouse();
  await fill(house);
  await using proxy = await tcpProxy(house.url);
  await using dashboard = startDashboard({
    databaseUrl: proxy.url,
    port: findFreePort(),
    namespace: "default",
    questionTimeoutMs: 500,
  });
  await ask(dashboard.url, "range=1h");
  proxy.swallow();
  const response = await fetch(`${dashboard.url}/api/board?range=1h`);
  assert.equal(response.status, 503, await response.text());
  proxy.pass();
  proxy.cut();
  await waitFor(async () => {
    const again = await fetch(`${dashboard.url}/api/board?range=1h`);
    await again.body?.cancel();
    return again.ok;
  }, { what: "figures again", timeoutMs: 20_000 });
});

Deno.test("a page opened while the database is away hears of changes after it", async () => {
  await using house = await warehouse();
  house.deps.onChange = announceChanges(house.deps.sql);
  await using proxy = await tcpProxy(house.url);
  await proxy.refuse();
  await using dashboard = startDashboard({
    databaseUrl: proxy.url,
    port: findFreePort(),
    namespace: "default",
  });
  using changes = await followChanges(dashboard.url);
  const response = await fetch(`${dashboard.url}/api/board?range=1h`);
  assert.equal(response.status, 503, await response.text());
  await proxy.listen();
  await waitFor(() => changes.count() > 0, { what: "the first change", timeoutMs: 20_000 });
  const before = changes.count();
  await ingest(house, await house.land("a.csv", csv([event(1, { event_time: minutesAgo(1) })])));
  await waitFor(() => changes.count() > before, { what: "a change", timeoutMs: 20_000 });
});

Deno.test("the dashboard keeps its place when PostgreSQL restarts", async () => {
  await using server = await ownPostgres();
  await using dashboard = startDashboard({
    databaseUrl: server.database.url,
    port: findFreePort(),
    namespace: "default",
  });
  using changes = await followChanges(dashboard.url);
  await waitFor(() => changes.count() > 0, { what: "the connection that listens" });
  await ask(dashboard.url, "range=1h");

  await server.end("SIGINT");
  const response = await fetch(`${dashboard.url}/api/board?range=1h`);
  assert.equal(response.status, 503, await response.text());
  await server.start();

  await waitFor(async () => {
    const again = await fetch(`${dashboard.url}/api/board?range=1h`);
    await again.body?.cancel();
    return again.ok;
  }, { what: "figures again", timeoutMs: 20_000 });
  const before = changes.count();
  await waitFor(async () => {
    await server.database.sql`select pg_notify(${CHANGE_CHANNEL}, '')`;
    return changes.count() > before + 1;
  }, { what: "a change after the restart", timeoutMs: 20_000 });
});

async function ask(url: string, query: string): Promise<Answer> {
  const response = await fetch(`${url}/api/board?${query}`);
  const answer = await response.json();
  assert.equal(response.status, 200, JSON.stringify(answer));
  return answer;
}

/** The dashboard's pool gives integers of 8 bytes as numbers, the superuser's as text. */
function numbersAsText(expected: Record<string, unknown>[]) {
  return (row: Record<string, unknown>, index: number) =>
    Object.fromEntries(
      Object.entries(row).map(([name, value]) => [
        name,
        typeof expected[index]?.[name] === "number" ? Number(value) : value,
      ]),
    );
}

async function rawGet(port: number, host: string): Promise<string> {
  using connection = await Deno.connect({ hostname: "127.0.0.1", port });
  const request = `GET /style.css HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`;
  await connection.write(new TextEncoder().encode(request));
  return await new Response(connection.readable).text();
}

async function followChanges(url: string): Promise<Disposable & { count: () => number }> {
  const stop = new AbortController();
  const response = await fetch(`${url}/api/changes`, { signal: stop.signal });
  let count = 0;
  (async () => {
    for await (const text of response.body!.pipeThrough(new TextDecoderStream())) {
      count += text.split("event: change").length - 1;
    }
  })().catch(() => {});
  return { count: () => count, [Symbol.dispose]: () => stop.abort() };
}
