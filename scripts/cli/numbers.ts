const UNITS = ["bytes", "KiB", "MiB", "GiB", "TiB"];

/** A count with its thousands separated: `12,345`. */
export function count(value: number): string {
  return Math.round(value).toLocaleString("en-US");
}

/** A count with its noun: `1 file`, `2 files`. */
export function countOf(value: number, noun: string): string {
  return `${count(value)} ${noun}${value === 1 ? "" : "s"}`;
}

/** A size in the unit that suits it: `12.5 MiB`. */
export function bytes(value: number): string {
  let size = value;
  let unit = 0;
  for (; size >= 1024 && unit < UNITS.length - 1; unit++) size /= 1024;
  return `${unit === 0 || size >= 100 ? Math.round(size) : size.toFixed(1)} ${UNITS[unit]}`;
}

/** A duration in the unit that suits it: `35 ms`, `1.2 s`, `3 min 20 s`. */
export function duration(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1_000).toFixed(1)} s`;
  return `${Math.floor(ms / 60_000)} min ${Math.round(ms % 60_000 / 1_000)} s`;
}

/** A bar of some width, filled as far as `share` (0 to 1) says. */
export function bar(share: number, width = 28): string {
  const filled = Math.round(Math.max(0, Math.min(1, share)) * width);
  return `[${"=".repeat(filled)}${" ".repeat(width - filled)}]`;
}
