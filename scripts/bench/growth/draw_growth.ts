import * as echarts from "echarts";
import type { GrowthPoint } from "./measure_growth.ts";
import type { GrowthSeries } from "./plan_growth.ts";
import { renderX } from "./render_growth.ts";

const [WIDTH, HEIGHT] = [840, 520];
/** Read on light and on dark ground. */
const [INK, LINE, ACCENT] = ["#6b7280", "#9ca3af55", "#2563eb"];

/** Where each curve stands, and what its axes say. */
const PANELS: Record<GrowthSeries, { left: string; top: string; title: string; isCost: boolean }> =
  {
    rows: { left: "8%", top: "10%", title: "seconds, one file of so many rows", isCost: true },
    files: { left: "57%", top: "10%", title: "seconds, so many files of 100 rows", isCost: true },
    rejects: { left: "8%", top: "60%", title: "rows/s, share rejected", isCost: false },
    duplicates: { left: "57%", top: "60%", title: "rows/s, share loaded before", isCost: false },
  };

/** The four curves as an SVG: time over size, both logarithmic, and rate over share. */
export function drawGrowth(points: readonly GrowthPoint[]): string {
  const chart = echarts.init(null, null, {
    renderer: "svg",
    ssr: true,
    width: WIDTH,
    height: HEIGHT,
  });
  const names = Object.keys(PANELS) as GrowthSeries[];
  const pointsOf = (name: GrowthSeries) => points.filter(({ series }) => series === name);
  chart.setOption({
    animation: false,
    textStyle: { fontFamily: "sans-serif" },
    title: names.map((name) => ({
      text: PANELS[name].title,
      left: PANELS[name].left,
      top: `${parseFloat(PANELS[name].top) - 8}%`,
      textStyle: { color: INK, fontSize: 13, fontWeight: "normal" },
    })),
    grid: names.map((name) => ({
      left: PANELS[name].left,
      top: PANELS[name].top,
      width: "36%",
      height: "32%",
    })),
    xAxis: names.map((name, gridIndex) => ({
      gridIndex,
      type: "category",
      data: pointsOf(name).map(renderX),
      boundaryGap: false,
      axisLabel: { color: INK },
      axisLine: { lineStyle: { color: INK } },
    })),
    yAxis: names.map((name, gridIndex) => ({
      gridIndex,
      type: PANELS[name].isCost ? "log" : "value",
      axisLabel: { color: INK, formatter: compact },
      splitLine: { lineStyle: { color: LINE } },
    })),
    series: names.map((name, index) => ({
      type: "line",
      xAxisIndex: index,
      yAxisIndex: index,
      data: pointsOf(name).map(({ records, seconds }) =>
        PANELS[name].isCost ? seconds : Math.round(records / seconds)
      ),
      symbolSize: 7,
      itemStyle: { color: ACCENT },
      lineStyle: { color: ACCENT, width: 2 },
    })),
  });
  const svg = chart.renderToSVGString();
  chart.dispose();
  return svg;
}

function compact(value: number): string {
  return value.toLocaleString("en-US", { notation: "compact" });
}
