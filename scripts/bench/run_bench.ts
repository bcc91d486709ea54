import type { Bench, BenchAmount, BenchCase } from "../../tests/bench/bench.ts";

/** One measured case. */
export interface BenchResult {
  readonly bench: string;
  readonly input: string;
  readonly what: string;
  readonly records: number;
  /** Median of the runs. */
  readonly seconds: number;
  readonly recordsPerSecond: number;
  /** Millions of bytes; null where the case has no text. */
  readonly megabytesPerSecond: number | null;
  /** How many times as fast as the rival on the same input; null where there is none. */
  readonly timesRival: number | null;
}

/**
 * Measures all cases of a bench, each a few times after one run that does not count.
 *
 * @param options About how many `records` a case works on, and how many `runs` count.
 * @throws what a case throws whose result is wrong
 */
export async function runBench(
  { name, prepare }: Bench,
  { records, runs, onCase }: {
    records: number;
    runs: number;
    onCase?: (what: string) => void;
  },
): Promise<BenchResult[]> {
  const measured: { one: BenchCase; amount: BenchAmount; seconds: number }[] = [];
  for (const one of await prepare(records)) {
    onCase?.(`${name}: ${one.input}, ${one.what}`);
    measured.push({ one, ...await measure(one, runs) });
  }
  const rates = new Map(
    measured.filter(({ one }) => one.isRival).map((
      { one, amount, seconds },
    ) => [one.input, amount.records / seconds]),
  );
  return measured.map(({ one: { input, what }, amount, seconds }) => {
    const recordsPerSecond = amount.records / seconds;
    const rival = rates.get(input);
    return {
      ...{ bench: name, input, what, records: amount.records, seconds, recordsPerSecond },
      megabytesPerSecond: amount.bytes === undefined ? null : amount.bytes / 1e6 / seconds,
      timesRival: rival === undefined ? null : recordsPerSecond / rival,
    };
  });
}

async function measure(
  { run }: BenchCase,
  runs: number,
): Promise<{ amount: BenchAmount; seconds: number }> {
  let amount = await run();
  const times: number[] = [];
  for (let round = 0; round < runs; round++) {
    const start = performance.now();
    amount = await run();
    times.push((performance.now() - start) / 1000);
  }
  return { amount, seconds: times.sort((a, b) => a - b)[Math.floor(runs / 2)]! };
}
