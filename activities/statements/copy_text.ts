const utf8 = new TextEncoder();
const SPECIAL = /[\\\t\n\r]/;
const SPECIALS = /[\\\t\n\r]/g;
const ESCAPES: Readonly<Record<string, string>> = {
  "\\": "\\\\",
  "\t": "\\t",
  "\n": "\\n",
  "\r": "\\r",
};

/** Any text as a cell of COPY's text format. */
export function copyCell(value: string): string {
  return SPECIAL.test(value) ? value.replace(SPECIALS, (found) => ESCAPES[found]!) : value;
}

/** Rows a piece: joining all at once holds the text of a chunk twice. */
const ROWS_PER_PIECE = 1_000;

/**
 * Rows of COPY's text format as pieces to send.
 *
 * @param count How many rows.
 * @param rowOf Text of a row, by its number, with its line end.
 */
export function copyPieces(count: number, rowOf: (index: number) => string): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  for (let start = 0; start < count; start += ROWS_PER_PIECE) {
    const end = Math.min(count, start + ROWS_PER_PIECE);
    let text = "";
    for (let index = start; index < end; index++) text += rowOf(index);
    pieces.push(utf8.encode(text));
  }
  return pieces;
}
