const EIGHTHS = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
const LEVELS = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];
const SHADES = ["·", "░", "▒", "▓", "█"];

/** A bar as long as a value is large, in eighths of a character. */
export function blockBar(value: number, largest: number, width = 20): string {
  if (!(largest > 0) || !(value > 0)) return "";
  const eighths = Math.max(1, Math.round(Math.min(1, value / largest) * width * 8));
  return "█".repeat(Math.floor(eighths / 8)) + EIGHTHS[eighths % 8];
}

/** A line of columns from zero; values are put together where there are more than `width`. */
export function sparkline(values: readonly number[], width = 60): string {
  const count = Math.min(width, values.length);
  const sums = Array.from({ length: count }, (_, index) => {
    const part = values.slice(
      Math.floor(index * values.length / count),
      Math.floor((index + 1) * values.length / count),
    );
    return part.reduce((sum, value) => sum + value, 0) / part.length;
  });
  const largest = Math.max(...sums);
  return sums.map((value) => {
    if (!(largest > 0) || value <= 0) return " ";
    return LEVELS[Math.min(7, Math.floor(value / largest * 8))];
  }).join("");
}

/** One cell of a heat map, two characters wide; null is no value. */
export function shade(value: number | null, largest: number): string {
  if (value === null) return "  ";
  const level = value <= 0 || !(largest > 0)
    ? 0
    : Math.max(1, Math.min(4, Math.ceil(value / largest * 4)));
  return SHADES[level]!.repeat(2);
}
