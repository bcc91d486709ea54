import { escapeHtml } from "./escape_html.ts";
import { formatValue, numberOf } from "./format_value.ts";
import { readGrid } from "./read_grid.ts";
import { renderChart } from "./render_chart.ts";
import type { Answer, Plot } from "./report_question.ts";
import type { ReportWindow } from "./report_window.ts";

/** What the page says above its answers. */
export interface ReportHead {
  /** The period in words. */
  readonly period: string;
  /** When it was asked, and how fresh the data was. */
  readonly note: string;
}

/** A page of its own: all answers with charts, tables and queries; no script, no network. */
export function renderHtml(
  answers: readonly Answer[],
  window: ReportWindow,
  { period, note }: ReportHead,
): string {
  const links = answers.map(({ question }) =>
    `<a href="#${question.id}">${escapeHtml(question.title)}</a>`
  );
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Shop report: ${escapeHtml(period)}</title>
<style>${STYLE}</style>
</head>
<body>
<header>
<h1>Shop report</h1>
<p class="period">${escapeHtml(period)}</p>
<p class="note">${escapeHtml(note)}</p>
<nav aria-label="Questions">${links.join("\n")}</nav>
</header>
<main>
${answers.map((answer) => renderAnswer(answer, window)).join("\n")}
</main>
</body>
</html>
`;
}

function renderAnswer(answer: Answer, window: ReportWindow): string {
  const { question, headline, query } = answer;
  return `<section id="${question.id}" aria-labelledby="${question.id}-title">
<h2 id="${question.id}-title">${escapeHtml(question.title)}</h2>
${
    headline === null
      ? `<p class="headline empty">Nothing in this period.</p>`
      : `<p class="headline">${escapeHtml(headline)}.</p>\n${renderFigures(answer, window)}`
  }
<details><summary>SQL</summary><pre>${escapeHtml(query)}</pre></details>
</section>`;
}

function renderFigures(answer: Answer, window: ReportWindow): string {
  const { question: { plot, maxRows = Infinity } } = answer;
  if (plot.kind === "grid") return renderGrid(answer, plot);
  const chart = `<figure>${renderChart(answer, plot, window)}</figure>`;
  const table = renderTable(answer, window);
  return answer.rows.length > maxRows
    ? `${chart}\n<details><summary>All ${answer.rows.length} rows</summary>${table}</details>`
    : `${chart}\n${table}`;
}

function renderTable({ question: { columns }, rows }: Answer, window: ReportWindow): string {
  const className = (kind: string) => kind === "text" || kind === "time" ? "" : ` class="number"`;
  const head = columns.map(({ label, kind }) =>
    `<th scope="col"${className(kind)}>${escapeHtml(label)}</th>`
  );
  const body = rows.map((row) => {
    const cells = columns.map(({ name, kind }) =>
      `<td${className(kind)}>${escapeHtml(formatValue(row[name], kind, window))}</td>`
    );
    return `<tr>${cells.join("")}</tr>`;
  });
  return `<div class="scroll" tabindex="0" role="group" aria-label="Table"><table><thead><tr>${
    head.join("")
  }</tr></thead><tbody>${body.join("")}</tbody></table></div>`;
}

/** A table whose cells are shaded: readable by eye, by keyboard and aloud. */
function renderGrid({ rows }: Answer, plot: Extract<Plot, { kind: "grid" }>): string {
  const grid = readGrid(rows, plot);
  const head = grid.columns.map((name) =>
    `<th scope="col">${escapeHtml(plot.columnLabel(name))}</th>`
  );
  const body = grid.cells.map((cells, index) => {
    const shaded = cells.map((cell) => {
      if (cell === null) return "<td></td>";
      const share = grid.largest > 0 ? Math.min(1, numberOf(cell) / grid.largest) : 0;
      const text = plot.value.kind === "share"
        ? `${Math.round(cell * 100)}%`
        : cell.toLocaleString("en-US", { notation: "compact" });
      return `<td style="--share:${share.toFixed(3)}"${
        share > 0.55 ? ` class="strong"` : ""
      }>${text}</td>`;
    });
    return `<tr><th scope="row">${escapeHtml(plot.rowLabel(grid.rows[index]!))}</th>${
      shaded.join("")
    }</tr>`;
  });
  return `<div class="scroll" tabindex="0" role="group" aria-label="Table"><table class="grid"><thead><tr><td></td>${
    head.join("")
  }</tr></thead><tbody>${body.join("")}</tbody></table></div>`;
}

const STYLE = `
:root { --paper: #fcfcfb; --card: #fff; --ink: #1d2126; --muted: #5d6670; --line: #e3e5e8; --accent: #2563a8;
  --wash: #e4eefa; --strong: #fff; }
@media (prefers-color-scheme: dark) {
  :root { --paper: #14171a; --card: #1c2024; --ink: #e8eaed; --muted: #9ba4ae; --line: #33393f; --accent: #6ea8e8;
    --wash: #22344a; --strong: #0d1116; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
header, main { max-width: 860px; margin: 0 auto; padding: 0 20px; }
header { padding-top: 40px; }
h1 { margin: 0; font-size: 2rem; letter-spacing: -0.02em; }
.period { margin: 4px 0 0; font-size: 1.1rem; }
.note { margin: 2px 0 20px; color: var(--muted); font-size: .9rem; }
nav { display: flex; flex-wrap: wrap; gap: 6px 16px; padding-bottom: 20px; border-bottom: 1px solid var(--line); font-size: .9rem; }
a { color: var(--accent); }
section { margin: 28px 0; padding: 22px; background: var(--card); border: 1px solid var(--line); border-radius: 10px; }
h2 { margin: 0; font-size: 1rem; font-weight: 600; color: var(--muted); }
.headline { margin: 4px 0 14px; font-size: 1.25rem; line-height: 1.35; }
.empty { color: var(--muted); font-size: 1rem; }
figure { margin: 0 0 10px; }
svg { display: block; width: 100%; height: auto; }
.scroll { overflow-x: auto; }
table { width: 100%; border-collapse: collapse; font-size: .875rem; font-variant-numeric: tabular-nums; }
th, td { padding: 5px 8px; text-align: left; border-bottom: 1px solid var(--line); white-space: nowrap; }
th { font-weight: 600; color: var(--muted); }
td:first-child { white-space: normal; min-width: 13em; }
.number { text-align: right; }
.grid { font-size: .75rem; }
.grid td:first-child { min-width: 0; }
.grid th, .grid td { padding: 4px 3px; border: 0; text-align: center; min-width: 0; }
.grid tbody th { text-align: left; padding-right: 8px; white-space: nowrap; }
.grid tbody td { background: color-mix(in srgb, var(--accent) calc(var(--share, 0) * 100%), transparent); border-radius: 2px; }
.grid td.strong { color: var(--strong); }
details { margin-top: 12px; font-size: .875rem; }
summary { cursor: pointer; color: var(--muted); }
pre { overflow-x: auto; margin: 8px 0 0; padding: 12px; background: var(--paper); border: 1px solid var(--line); border-radius: 6px; font-size: .8rem; }
@media (max-width: 600px) { section { padding: 16px 14px; } .headline { font-size: 1.1rem; } }
@media print { section { break-inside: avoid; } nav, details { display: none; } }
`;
