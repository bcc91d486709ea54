import { Buffer } from "node:buffer";

/**
 * All text within a value, at any depth, payloads included: these are bytes, mostly of JSON.
 *
 * @param value Plain data, or messages of Temporal's API.
 */
export function textOf(value: unknown): string {
  const texts: string[] = [];
  collect(value, texts);
  return texts.join("\n");
}

function collect(value: unknown, texts: string[]): void {
  if (typeof value === "string") texts.push(value);
  else if (value instanceof Uint8Array) texts.push(Buffer.from(value).toString("utf8"));
  else if (typeof value === "object" && value !== null) {
    for (const [key, part] of Object.entries(value)) {
      texts.push(key);
      collect(part, texts);
    }
  }
}
