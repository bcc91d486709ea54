const BACKSLASH = 0x5c;

/**
 * Bytes as text that a terminal may print: UTF-8 as it is, but a backslash is `\\`, a control or
 * format character `\n`, `\x1b` or `\u{202e}`, and each byte that is not UTF-8 `\xff`.
 */
export function escapeBytes(bytes: Uint8Array): string {
  const parts: string[] = [];
  for (let at = 0; at < bytes.length;) {
    const length = characterLength(bytes, at);
    if (length === 0) parts.push(hex(bytes[at]!));
    else parts.push(escapeCharacter(STRICT.decode(bytes.subarray(at, at + length))));
    at += Math.max(1, length);
  }
  return parts.join("");
}

const STRICT = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Bytes of the character that begins here; 0 when it is not UTF-8. */
function characterLength(bytes: Uint8Array, at: number): number {
  const first = bytes[at]!;
  if (first < 0x80) return 1;
  const length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc0 ? 2 : 0;
  try {
    return [...STRICT.decode(bytes.subarray(at, at + length))].length === 1 ? length : 0;
  } catch {
    return 0;
  }
}

const SHORT: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

function escapeCharacter(character: string): string {
  const code = character.codePointAt(0)!;
  if (code === BACKSLASH) return "\\\\";
  if (!/[\p{C}\p{Zl}\p{Zp}]/u.test(character)) return character;
  return SHORT[character] ?? (code < 0x80 ? hex(code) : `\\u{${code.toString(16)}}`);
}

function hex(byte: number): string {
  return `\\x${byte.toString(16).padStart(2, "0")}`;
}
