import type { LiveView } from "../cli/live_view.ts";
import { bar, count, countOf, duration } from "../cli/numbers.ts";
import type { DemoProgress } from "../statements/demo_progress.ts";

/** Over this time the shown rate is averaged. */
const RATE_WINDOW_MS = 3_000;

/** Where the demo is, beside what the ledger says. */
export interface DemoPhase {
  readonly historyLanded: number;
  readonly historyTotal: number;
  /** How far the live part is, from 0 to 1, and in words; undefined before. */
  readonly live?: { readonly share: number; readonly text: string };
}

/** Shows the progress of the demo: redrawn in place on a terminal, one line a second elsewhere. */
export class DemoScreen {
  readonly #view: LiveView;
  readonly #startedAt = performance.now();
  readonly #samples: { at: number; rows: number }[] = [];
  #peak = 0;

  constructor(view: LiveView) {
    this.#view = view;
  }

  /** Shows the present state. */
  show(phase: DemoPhase, progress: DemoProgress): void {
    const rate = this.#measure(progress.loaded + progress.duplicates);
    this.#view.show(this.#lines(phase, progress, rate), this.#summary(phase, progress, rate));
  }

  /** Leaves the last state on the screen. */
  end(): void {
    this.#view.end();
  }

  /** Records a second, lately. */
  #measure(rows: number): number {
    const now = performance.now();
    this.#samples.push({ at: now, rows });
    while (this.#samples.length > 2 && this.#samples[0]!.at < now - RATE_WINDOW_MS) {
      this.#samples.shift();
    }
    const oldest = this.#samples[0]!;
    const rate = now > oldest.at ? (rows - oldest.rows) / (now - oldest.at) * 1_000 : 0;
    this.#peak = Math.max(this.#peak, rate);
    return rate;
  }

  #lines(phase: DemoPhase, progress: DemoProgress, rate: number): string[] {
    const { historyLanded, historyTotal, live } = phase;
    const { settled, loading, failed, loaded, duplicates, rejected } = progress;
    const there = duplicates === 0 ? "" : ` · ${count(duplicates)} already there`;
    return [
      `Clickledger demo · ${this.#elapsed()}`,
      historyTotal === 0
        ? "  History  here from an earlier start"
        : `  History  ${
          bar(historyLanded / historyTotal)
        } ${historyLanded} of ${historyTotal} files landed`,
      live === undefined
        ? "  Live     after the history is loaded"
        : `  Live     ${bar(live.share)} ${live.text}`,
      "  Generated files",
      `  Files    ${count(settled)} settled · ${count(loading)} loading · ${count(failed)} failed`,
      `  Rows     ${count(loaded)} new${there} · ${count(rate)} records/s, ${
        count(this.#peak)
      } at best`,
      `  Rejects  ${count(rejected)}`,
      `  Lag      ${describeLag(progress)}${
        progress.lagP50Ms === null
          ? ""
          : ` from landing to queryable, median of the last 20${live ? " live" : ""} files`
      }`,
      ...describeYours(progress).map((yours) => {
        return `  Your files  ${yours}: see \`deno task files list\``;
      }),
    ];
  }

  #summary(
    { historyLanded, historyTotal, live }: DemoPhase,
    progress: DemoProgress,
    rate: number,
  ): string {
    const { settled, loading, failed, loaded, duplicates, rejected } = progress;
    const there = duplicates === 0 ? "" : `, ${count(duplicates)} already there`;
    const phase = live ? `live ${live.text}` : `history ${historyLanded}/${historyTotal} files`;
    return [
      `${this.#elapsed()} · ${phase} · ${settled} settled, ${loading} loading, ${failed} failed`,
      `${count(loaded)} rows new${there}, ${count(rate)} records/s`,
      countOf(rejected, "reject"),
      `lag ${describeLag(progress)}`,
      ...describeYours(progress).map((yours) => `your files: ${yours}`),
    ].join(" · ");
  }

  #elapsed(): string {
    return duration(performance.now() - this.#startedAt);
  }
}

function describeLag({ lagP50Ms, lagP95Ms }: DemoProgress): string {
  if (lagP50Ms === null || lagP95Ms === null) return "not known yet";
  return `${duration(lagP50Ms)} (95th percentile ${duration(lagP95Ms)})`;
}

/** None or one. */
function describeYours(
  { yoursLoading, yoursLoaded, yoursFailed, yoursRejected }: DemoProgress,
): string[] {
  if (yoursLoading + yoursLoaded + yoursFailed === 0) return [];
  const loading = yoursLoading === 0 ? "" : `${count(yoursLoading)} loading · `;
  return [
    `${loading}${count(yoursLoaded)} loaded · ${count(yoursFailed)} failed · ${
      countOf(yoursRejected, "reject")
    }`,
  ];
}
