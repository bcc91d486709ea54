import { drawTimeChart } from "./charts.js";
import {
  age,
  bars,
  clock,
  count,
  element,
  milliseconds,
  money,
  replaceChildren,
  setText,
  table,
} from "./elements.js";

/** Without news, figures are asked for again after this time: periods move on by themselves. */
const REFRESH_MS = 10_000;
/** An answer that takes longer is not coming. */
const ANSWER_MS = 25_000;
/** With news, at most this often. */
const CHANGE_MS = 500;
const FILTERS = ["range", "device", "category", "currency"];
const WEEKDAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const STATES = [
  "loading",
  "paused",
  "unloading",
  "loaded",
  "duplicate",
  "failed",
  "cancelled",
  "unloaded",
];

const form = document.getElementById("filters");
let board;
let asking = false;
let askAgain = false;
let awaySince;

// --- asking ---

async function ask() {
  if (asking) {
    askAgain = true;
    return;
  }
  asking = true;
  askAgain = false;
  try {
    board = await getJson(`/api/board${location.search}`);
    awaySince = undefined;
    render();
  } catch (error) {
    awaySince ??= Date.now();
    showOutage(error);
  } finally {
    asking = false;
    sayState();
    if (askAgain) setTimeout(ask, CHANGE_MS);
  }
}

/** Throws what the server says is wrong, or that it does not answer. */
async function getJson(path) {
  const response = await fetch(path, { signal: AbortSignal.timeout(ANSWER_MS) });
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.error);
  return answer;
}

function follow() {
  const changes = new EventSource("/api/changes");
  changes.addEventListener("change", () => ask());
  changes.addEventListener("open", () => ask());
  changes.addEventListener("error", () => ask());
}

function showOutage(error) {
  const outage = document.getElementById("outage");
  outage.hidden = false;
  const last = board ? ` Figures are those of ${clock(board.at)}.` : "";
  const isSilent = error instanceof TypeError || error.name === "TimeoutError";
  const why = isSilent ? "Clickledger does not answer" : error.message;
  outage.textContent = `${why} since ${
    clock(awaySince)
  }; it is asked again every few seconds.${last}`;
  document.body.classList.add("is-stale");
}

function sayState() {
  const live = document.getElementById("live");
  live.classList.toggle("is-live", awaySince === undefined);
  live.classList.toggle("is-away", awaySince !== undefined);
  const text = awaySince === undefined ? "Live" : "Away";
  setText("live-text", text);
}

// --- filters live in the address ---

function readAddress() {
  const query = new URLSearchParams(location.search);
  if (query.has("from")) {
    const { range } = form.elements;
    if (range.options[0].value !== "") {
      range.prepend(element("option", { value: "" }, "as in the address"));
    }
  }
  for (const name of FILTERS) {
    const select = form.elements[name];
    const value = query.get(name) ?? (name === "range" ? (query.has("from") ? "" : "1h") : "");
    if (value !== "" && ![...select.options].some((option) => option.value === value)) {
      select.append(element("option", { value }, value));
    }
    select.value = value;
  }
}

function writeAddress() {
  const query = new URLSearchParams();
  const before = new URLSearchParams(location.search);
  for (const name of FILTERS) {
    const { value } = form.elements[name];
    if (value !== "") query.set(name, value);
  }
  // A period of its own stays until a range is chosen instead.
  for (const name of query.has("range") ? [] : ["from", "to"]) {
    if (before.has(name)) query.set(name, before.get(name));
  }
  history.pushState(null, "", `?${query}`);
  ask();
}

form.addEventListener("change", writeAddress);
form.addEventListener("submit", (event) => event.preventDefault());
addEventListener("popstate", () => {
  readAddress();
  ask();
});

function offer(name, values) {
  const select = form.elements[name];
  const known = new Set([...select.options].map(({ value }) => value));
  for (const value of values) {
    if (!known.has(value)) select.append(element("option", { value }, value));
  }
}

// --- theme ---

const THEMES = ["auto", "light", "dark"];
const prefersDark = matchMedia("(prefers-color-scheme: dark)");
const themeButton = document.getElementById("theme");

function applyTheme() {
  const chosen = localStorage.getItem("theme") ?? "auto";
  const isDark = chosen === "dark" || (chosen === "auto" && prefersDark.matches);
  document.documentElement.dataset.theme = isDark ? "dark" : "light";
  themeButton.textContent = `Theme: ${chosen}`;
  if (board) render();
}

themeButton.addEventListener("click", () => {
  const chosen = localStorage.getItem("theme") ?? "auto";
  localStorage.setItem("theme", THEMES[(THEMES.indexOf(chosen) + 1) % THEMES.length]);
  applyTheme();
});
prefersDark.addEventListener("change", applyTheme);

// --- showing ---

function rowsOf(id) {
  return board.panels[id].rows;
}

function render() {
  document.getElementById("outage").hidden = true;
  document.body.classList.remove("is-stale");
  offer("category", board.choices.category);
  offer("currency", board.choices.currency);
  renderShop();
  renderPipeline();
  showQueries();
  const link = document.getElementById("web-ui");
  link.hidden = board.webUiUrl === null;
  if (board.webUiUrl !== null) link.href = board.webUiUrl;
}

function renderShop() {
  const [totals] = rowsOf("totals");
  const revenue = rowsOf("revenue");
  const [main, ...others] = revenue;
  setText("revenue", main ? `${main.currency} ${money(main.revenue)}` : "0");
  setText(
    "revenue-note",
    others.map(({ currency, revenue }) => `${currency} ${money(revenue)}`).join(", "),
  );
  setText("purchases", count(totals.purchases));
  setText("pieces", `${count(totals.pieces)} pieces`);
  setText("events", count(totals.events));
  const minutes = (new Date(board.to) - new Date(board.from)) / 60_000;
  setText("events-note", `${(Number(totals.events) / minutes).toFixed(1)} a minute`);
  const [fresh] = rowsOf("freshness");
  setText("newest", fresh?.newest_event ? age(fresh.newest_event) : "none yet");
  setText("newest-note", fresh?.newest_commit ? `committed ${age(fresh.newest_commit)}` : "");

  setText("flow-width", `per ${board.width.replace(/^1 /, "")}${main ? `, ${main.currency}` : ""}`);
  drawTimeChart("flow-chart", rowsOf("flow"), {
    label: "Events and revenue over time",
    from: board.from,
    to: board.to,
    series: [
      { name: "events", column: "events", color: "accent", type: "bar" },
      { name: "revenue", column: "revenue", color: "second", axis: 1 },
    ],
  });
  renderFunnel(totals);
  replaceChildren(
    document.getElementById("products"),
    table("Top products by revenue", [
      {
        name: "product_name",
        label: "product",
        kind: "name",
        show: (name, row) => name ?? row.product_id,
      },
      { name: "category", label: "category", show: (name) => name || "(none)" },
      { name: "views", label: "views", kind: "number", show: count },
      { name: "quantity", label: "pieces", kind: "number", show: count },
      {
        name: "revenue",
        label: "revenue",
        kind: "number",
        show: (value, row) => `${row.currency} ${money(value)}`,
      },
    ], rowsOf("products")),
  );
  replaceChildren(
    document.getElementById("devices"),
    ...bars(rowsOf("devices"), { name: ({ device }) => device, value: "events" }),
  );
  replaceChildren(
    document.getElementById("categories"),
    ...bars(rowsOf("categories"), {
      name: ({ category }) => category || "(none)",
      value: "events",
    }),
  );
  renderHours(rowsOf("hours"));
}

function renderFunnel(totals) {
  const steps = [["views", totals.views], ["put into the cart", totals.carts], [
    "purchases",
    totals.purchases,
  ]];
  const first = Number(totals.views);
  replaceChildren(
    document.getElementById("funnel"),
    ...steps.map(([name, value]) => {
      const share = first > 0 ? `${(Number(value) / first * 100).toFixed(1)} % of views` : "–";
      return element(
        "li",
        { class: "bar-line" },
        element("span", { class: "bar-name" }, `${count(value)} ${name}`),
        element("span", { class: "unit" }, share),
        element("progress", {
          max: Math.max(first, Number(value), 1),
          value: Number(value),
          "aria-label": name,
        }),
      );
    }),
  );
}

function renderHours(rows) {
  const largest = Math.max(...rows.map(({ events }) => Number(events)));
  const cells = new Map(rows.map((row) => [`${row.weekday}/${row.hour}`, Number(row.events)]));
  const hours = Array.from({ length: 24 }, (_, hour) => hour);
  const heat = (value) =>
    value === 0 || largest === 0 ? 0 : Math.min(5, Math.ceil(value / largest * 5));
  const compact = (value) => value.toLocaleString("en-US", { notation: "compact" });
  replaceChildren(
    document.getElementById("hours"),
    element(
      "table",
      { class: "grid" },
      element("caption", {}, "Events by weekday and hour"),
      element(
        "thead",
        {},
        element(
          "tr",
          {},
          element("td"),
          ...hours.map((hour) => element("th", { scope: "col" }, String(hour).padStart(2, "0"))),
        ),
      ),
      element(
        "tbody",
        {},
        ...WEEKDAYS.map((day, index) =>
          element(
            "tr",
            {},
            element("th", { scope: "row" }, day),
            ...hours.map((hour) => {
              const value = cells.get(`${index + 1}/${hour}`) ?? 0;
              return element("td", { class: `heat-${heat(value)}` }, compact(value));
            }),
          )
        ),
      ),
    ),
  );
}

function renderPipeline() {
  const states = new Map(rowsOf("states").map(({ state, files }) => [state, Number(files)]));
  const figures = STATES.filter((state) =>
    states.has(state) || ["loading", "loaded", "failed"].includes(state)
  );
  const figure = (name, value, isBad) =>
    element(
      "article",
      { class: isBad ? "figure is-bad" : "figure", "data-state": name },
      element("h3", {}, name),
      element("p", { class: "value" }, value),
    );
  const waiting = board.waiting === null ? [] : [figure("waiting", count(board.waiting), false)];
  replaceChildren(
    document.getElementById("states"),
    ...waiting,
    ...figures.map((state) => {
      const files = states.get(state) ?? 0;
      return figure(state, count(files), state === "failed" && files > 0);
    }),
  );
  drawTimeChart("lag-chart", rowsOf("lag"), {
    label: "Lag from closed file to committed row, milliseconds",
    from: board.from,
    to: board.to,
    show: milliseconds,
    series: [
      { name: "p50", column: "p50_ms", color: "accent" },
      { name: "p95", column: "p95_ms", color: "third" },
      { name: "p99", column: "p99_ms", color: "bad" },
    ],
  });
  drawTimeChart("rows-chart", rowsOf("rows"), {
    label: "Records committed per second",
    from: board.from,
    to: board.to,
    show: (value) => Number(value).toLocaleString("en-US"),
    series: [{
      name: "records per second",
      column: "records_per_second",
      color: "accent",
      type: "bar",
    }],
  });
  const file = { name: "file_name", label: "file", kind: "name", show: fileLink };
  const state = {
    name: "state",
    label: "state",
    show: (name) => element("span", { class: `state state-${name}` }, name),
  };
  replaceChildren(
    document.getElementById("attention"),
    table("Files under way, failed or cancelled", [
      file,
      state,
      { name: "error_message", label: "reason", kind: "reason", show: (text) => text || "–" },
      { name: "file_id", label: "", show: whyButton },
    ], rowsOf("attention")),
  );
  replaceChildren(
    document.getElementById("rejects"),
    ...bars(rowsOf("rejects"), {
      name: ({ code, column_name: column }) =>
        `${code.replaceAll("_", " ")}${column ? ` · ${column}` : ""}`,
      value: "records",
    }),
  );
  replaceChildren(
    document.getElementById("slowest"),
    table("Slowest files", [
      file,
      {
        name: "records",
        label: "records",
        kind: "number",
        show: (value) => value === null ? "–" : count(value),
      },
      {
        name: "rejected",
        label: "rejected",
        kind: "number",
        show: (value) => value === null ? "–" : count(value),
      },
      { name: "lag_ms", label: "lag", kind: "number", show: milliseconds },
      { name: "file_id", label: "why", show: whyButton },
    ], rowsOf("slowest")),
  );
}

/** To the file's workflow, where the Web UI is known. */
function fileLink(name, { file_id: id, workflow_id: workflow, run_id: run }) {
  const text = name === workflow ? name : `${name} (${id})`;
  if (board.webUiUrl === null || !workflow) return text;
  const path = ["namespaces", board.namespace, "workflows", workflow, ...(run ? [run] : [])];
  const href = `${board.webUiUrl}/${path.map(encodeURIComponent).join("/")}`;
  return element("a", { href, rel: "noopener" }, text);
}

function whyButton(id, row) {
  const button = element("button", {
    type: "button",
    class: "why",
    "aria-label": `Why: ${row.file_name}`,
  }, "why");
  button.dataset.file = id;
  return button;
}

// One listener for all: the tables are drawn anew.
document.addEventListener("click", (event) => {
  const { file } = event.target.dataset ?? {};
  if (file !== undefined) showWhy(file);
});

async function showWhy(id) {
  let answer;
  try {
    answer = await getJson(`/api/file?id=${encodeURIComponent(id)}`);
  } catch (error) {
    setText("why-title", `File ${id} cannot be explained now`);
    document.getElementById("why-body").replaceChildren(element("p", {}, error.message));
    document.getElementById("why").showModal();
    return;
  }
  const [file] = answer.file.rows;
  const [stages] = answer.stages.rows;
  const [chunks] = answer.chunks.rows;
  if (file === undefined) return;
  setText("why-title", `${file.file_name} (${file.file_id}) is ${file.state}`);
  const facts = [
    ["reason", file.error_message],
    [
      "counts",
      file.records === null
        ? null
        : `${count(file.records)} records = ${count(file.loaded)} loaded + ` +
          `${count(file.duplicates)} duplicates + ${count(file.rejected)} rejected`,
    ],
    ["same bytes as", file.duplicate_of && `file ${file.duplicate_of}`],
    ["newer version of", file.supersedes && `file ${file.supersedes}`],
    ["retry of", file.retry_of && `file ${file.retry_of}`],
    ["chunks", `${count(chunks.committed)} of ${count(chunks.planned)} committed`],
    ["committed by", chunks.worker && `${chunks.worker}, attempt ${chunks.attempt}`],
    ["discovered", stages.discovered_at],
    [
      "lag",
      stages.lag_ms === null ? null : `${milliseconds(stages.lag_ms)}: discovered after ` +
        `${milliseconds(stages.discover_ms)}, started after ${
          milliseconds(Math.max(0, stages.start_ms))
        }, loaded in ` +
        milliseconds(stages.load_ms),
    ],
    ["lies at", file.archive_path ?? file.path],
    ["sha-256", file.sha256],
    ["contract", `version ${file.contract_version}`],
    ["workflow", fileLink(file.workflow_id, file)],
    ["more", element("code", {}, `deno task files show ${file.file_id}`)],
  ].filter(([, value]) => value !== null && value !== undefined && value !== "");
  const queries = Object.values(answer).map(({ sql }) => sql).join(";\n\n");
  document.getElementById("why-body").replaceChildren(
    element(
      "dl",
      {},
      ...facts.flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, value)]),
    ),
    ...(answer.faults.rows.length === 0 ? [] : [table("Rejects of the file", [
      { name: "code", label: "fault", show: (code) => code.replaceAll("_", " ") },
      { name: "column_name", label: "column" },
      { name: "records", label: "records", kind: "number", show: count },
      { name: "first_line", label: "first line", kind: "number" },
    ], answer.faults.rows)]),
    element(
      "details",
      { class: "sql" },
      element("summary", {}, "SQL"),
      element("pre", { tabindex: 0 }, queries),
    ),
  );
  document.getElementById("why").showModal();
}

/** Each panel tells the query that gave its figures, and which filters it leaves out. */
function showQueries() {
  const filters = new URLSearchParams(location.search);
  for (const panel of document.querySelectorAll("[data-panel]")) {
    let details = panel.querySelector("details.sql");
    if (details === null) {
      details = element(
        "details",
        { class: "sql" },
        element("summary", {}, "SQL"),
        element("pre", { tabindex: 0 }),
      );
      panel.append(details);
    }
    const pre = details.querySelector("pre");
    const ignored = (panel.dataset.ignores ?? "").split(" ").filter((name) =>
      name && filters.get(name)
    );
    const note = ignored.length > 0 ? `-- not filtered by ${ignored.join(", ")}\n` : "";
    const sql = note + board.panels[panel.dataset.panel].sql;
    if (pre.textContent !== sql) pre.textContent = sql;
  }
}

readAddress();
applyTheme();
follow();
setInterval(ask, REFRESH_MS);
