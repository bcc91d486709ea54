/** Figures of contenders that took turns, one for each run. */
export type Figured<Name extends string> = Readonly<Record<Name, readonly number[]>>;

/**
 * Lets contenders take turns, so that what else the machine does meets all of them. Every other round goes backwards:
 * nobody is always the one that follows another.
 *
 * @param contenders Each gives its figure of one run.
 */
export async function alternate<Name extends string>(
  contenders: Readonly<Record<Name, () => Promise<number>>>,
  { runs, onRun }: { runs: number; onRun: (name: Name, run: number, figure: number) => void },
): Promise<Figured<Name>> {
  const names = Object.keys(contenders) as Name[];
  const figures = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Record<
    Name,
    number[]
  >;
  for (let run = 1; run <= runs; run++) {
    for (const name of run % 2 === 1 ? names : names.toReversed()) {
      const figure = await contenders[name]();
      figures[name].push(figure);
      onRun(name, run, figure);
    }
  }
  return figures;
}

/** Medians of both, and of the ratios of their pairs, of which each is told as well. */
export function compare(
  ours: readonly number[],
  rivals: readonly number[],
): { ours: number; rival: number; ratio: number; ofRuns: readonly number[] } {
  const ofRuns = ours.map((one, run) => one / rivals[run]!);
  return { ours: median(ours), rival: median(rivals), ratio: median(ofRuns), ofRuns };
}

/** The middle one; of an even number, the lower of the two in the middle. */
export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** The least of the values that a share of all of them is not above. @param share Above 0, at most 1. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.ceil(sorted.length * share) - 1]!;
}
