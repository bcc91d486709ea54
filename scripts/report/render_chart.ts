import * as echarts from "echarts";
import { formatValue, numberOf } from "./format_value.ts";
import type { Answer, Plot } from "./report_question.ts";
import type { ReportWindow } from "./report_window.ts";

const WIDTH = 760;
/** Colours are the page's, so that one drawing serves light and dark. */
const [INK, MUTED, LINE, ACCENT, WASH] = ["--ink", "--muted", "--line", "--accent", "--wash"].map((
  name,
) => `var(${name})`) as [string, string, string, string, string];

/** An answer that is a line or bars as an SVG drawing of its own, without script. */
export function renderChart(
  { question, rows }: Answer,
  plot: Exclude<Plot, { kind: "grid" }>,
  window: ReportWindow,
): string {
  const height = plot.kind === "line" ? 220 : 34 + rows.length * 30;
  const chart = echarts.init(null, null, { renderer: "svg", ssr: true, width: WIDTH, height });
  chart.setOption({
    animation: false,
    textStyle: { fontFamily: "inherit" },
    ...(plot.kind === "line" ? lineOption(rows, plot, window) : barsOption(rows, plot, window)),
  });
  const svg = chart.renderToSVGString();
  chart.dispose();
  // Scales with the page, and is told to those who cannot see it by the table below. Nothing reacts to the pointer.
  return svg.replace(/<style ?>.*?<\/style>/s, "").replace(
    /^<svg width="\d+" height="\d+"/,
    `<svg role="img" aria-label="${question.id}: the table below has the figures"`,
  );
}

function lineOption(
  rows: Answer["rows"],
  { x, y }: Extract<Plot, { kind: "line" }>,
  window: ReportWindow,
): echarts.EChartsOption {
  return {
    grid: { left: 16, right: 46, top: 14, bottom: 4, containLabel: true },
    xAxis: {
      type: "category",
      data: rows.map((row) => formatValue(row[x], "time", window)),
      axisLabel: { color: MUTED, hideOverlap: true },
      axisLine: { lineStyle: { color: LINE } },
      axisTick: { show: false },
      boundaryGap: false,
    },
    yAxis: {
      type: "value",
      axisLabel: { color: MUTED, formatter: compact },
      splitLine: { lineStyle: { color: LINE } },
      splitNumber: 4,
    },
    series: [{
      type: "line",
      data: rows.map((row) => numberOf(row[y.name])),
      showSymbol: rows.length < 15,
      symbolSize: 6,
      itemStyle: { color: ACCENT },
      lineStyle: { color: ACCENT, width: 2 },
      areaStyle: { color: WASH, opacity: 1 },
    }],
  };
}

function barsOption(
  rows: Answer["rows"],
  { label, value }: Extract<Plot, { kind: "bars" }>,
  window: ReportWindow,
): echarts.EChartsOption {
  return {
    grid: { left: 22, right: 90, top: 4, bottom: 4, containLabel: true },
    xAxis: { type: "value", show: false },
    yAxis: {
      type: "category",
      inverse: true,
      data: rows.map((row) => formatValue(row[label], "text", window)),
      axisLabel: { color: INK, width: 220, overflow: "truncate" },
      axisLine: { lineStyle: { color: LINE } },
      axisTick: { show: false },
    },
    series: [{
      type: "bar",
      data: rows.map((row) => numberOf(row[value.name])),
      barMaxWidth: 18,
      itemStyle: { color: ACCENT, borderRadius: [0, 3, 3, 0] },
      label: {
        show: true,
        position: "right",
        color: INK,
        formatter: ({ dataIndex }) =>
          formatValue(rows[dataIndex]?.[value.name], value.kind, window),
      },
    }],
  };
}

function compact(value: number): string {
  return value.toLocaleString("en-US", { notation: "compact" });
}
