/* global echarts */
import { count, element, money } from "./elements.js";

const charts = new Map();

/**
 * Draws lines and bars over time. The drawing is for the eye; the same figures stand in a table behind it.
 *
 * @param id Of the element to draw in.
 * @param rows With `starts_at`.
 * @param from, to The period the axis shows, also where rows are few; times are UTC, as in the tables.
 * @param series `{ name, column, color, type, axis }`; `color` is a variable of the style sheet.
 */
export function drawTimeChart(id, rows, { label, from, to, series, show = count }) {
  const holder = document.getElementById(id);
  let chart = charts.get(id);
  if (chart === undefined) {
    const canvas = element("div", { class: "chart", role: "img" });
    const figures = element(
      "details",
      { class: "figures-table" },
      element("summary", {}, "Figures"),
    );
    holder.classList.remove("chart");
    holder.append(canvas, figures);
    chart = {
      canvas,
      figures,
      drawn: echarts.init(canvas, null, { renderer: "canvas" }),
      rows: "",
    };
    charts.set(id, chart);
    new ResizeObserver(() => chart.drawn.resize()).observe(canvas);
  }
  chart.canvas.setAttribute("aria-label", `${label}; the figures stand in the table below`);
  const colors = Object.fromEntries(
    ["ink", "muted", "line", "card", ...series.map(({ color }) => color)].map((name) => [
      name,
      getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim(),
    ]),
  );
  const axes = [...new Set(series.map(({ axis = 0 }) => axis))];
  chart.drawn.setOption({
    animation: false,
    useUTC: true,
    textStyle: { fontFamily: "system-ui, sans-serif" },
    grid: { left: 8, right: axes.length > 1 ? 8 : 16, top: 34, bottom: 4, containLabel: true },
    legend: { top: 0, left: 0, textStyle: { color: colors.muted }, itemWidth: 14, itemHeight: 8 },
    tooltip: {
      trigger: "axis",
      renderMode: "richText",
      backgroundColor: colors.card,
      borderColor: colors.line,
      textStyle: { color: colors.ink },
    },
    xAxis: {
      type: "time",
      min: from,
      max: to,
      axisLabel: { color: colors.muted, hideOverlap: true },
      axisLine: { lineStyle: { color: colors.line } },
    },
    yAxis: axes.map((axis) => ({
      type: "value",
      axisLabel: {
        color: colors.muted,
        formatter: (value) => value.toLocaleString("en-US", { notation: "compact" }),
      },
      splitLine: { show: axis === 0, lineStyle: { color: colors.line } },
      splitNumber: 4,
    })),
    series: series.map(({ name, column, color, type = "line", axis = 0 }) => ({
      name,
      type,
      yAxisIndex: axis,
      data: rows.map((row) => [row.starts_at, Number(row[column])]),
      showSymbol: rows.length < 12,
      symbolSize: 6,
      barMaxWidth: 14,
      itemStyle: { color: colors[color] },
      lineStyle: { color: colors[color], width: 2 },
    })),
  }, { notMerge: true });
  drawFigures(chart, rows, { label, series, show });
}

function drawFigures(chart, rows, { label, series, show }) {
  const key = JSON.stringify(rows);
  if (key === chart.rows) return;
  chart.rows = key;
  const head = ["from (UTC)", ...series.map(({ name }) => name)].map((name, index) =>
    element("th", { scope: "col", class: index === 0 ? null : "number" }, name)
  );
  const body = rows.toReversed().map((row) =>
    element(
      "tr",
      {},
      element("th", { scope: "row" }, row.starts_at.slice(0, 16).replace("T", " ")),
      ...series.map(({ column, color }) =>
        element(
          "td",
          { class: "number" },
          color === "second" ? money(row[column]) : show(row[column]),
        )
      ),
    )
  );
  const shown = element(
    "div",
    { class: "table", tabindex: 0, role: "group", "aria-label": `${label}: figures` },
    element(
      "table",
      {},
      element("caption", {}, label),
      element("thead", {}, element("tr", {}, ...head)),
      element("tbody", {}, ...body),
    ),
  );
  chart.figures.querySelector(".table")?.remove();
  chart.figures.append(shown);
}
