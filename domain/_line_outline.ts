const QUOTE = 0x22;

/** What can be said of a line without decoding it. */
export interface LineOutline {
  /** Columns, as far as the line goes. */
  columns: number;
  /** Position of the opening quote that is not closed at the line's end, else -1. */
  openQuote: number;
}

/** Walks over a line, or a whole record, whose quotes are not broken. */
export function outlineLine(line: Uint8Array, delimiter: number): LineOutline {
  let columns = 1;
  let fieldStart = 0;
  let isQuotedField = false;
  let insideQuotes = false;
  for (let i = 0; i < line.length; i++) {
    const byte = line[i];
    if (i === fieldStart) isQuotedField = byte === QUOTE;
    // An escaped quote toggles twice.
    if (byte === QUOTE && isQuotedField) insideQuotes = !insideQuotes;
    if (byte === delimiter && !insideQuotes) {
      columns++;
      fieldStart = i + 1;
    }
  }
  return { columns, openQuote: insideQuotes ? fieldStart : -1 };
}
