/**
 * Text of strangers for a terminal: what moves the cursor, rewrites the screen or turns the order of reading around
 * becomes U+FFFD; line breaks stay.
 */
export function printable(text: string): string {
  return text.replace(
    /[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu,
    (character) => character === "\n" ? character : "\ufffd",
  );
}
