import type { Prng } from "./prng.ts";

/** Character codes of the hexadecimal digits. One call of fromCharCode beats joining pieces. */
const hex = Uint8Array.from("0123456789abcdef", (digit) => digit.charCodeAt(0));
const DASH = 45;
const { fromCharCode } = String;

/**
 * A UUID of version 7 (RFC 9562): the time in front, so that keys arrive nearly sorted.
 *
 * @param time Epoch milliseconds.
 * @param prng Where its 74 random bits come from.
 */
export function uuidV7(time: number, prng: Prng): string {
  const high = Math.floor(time / 0x1_0000);
  const a = prng.uint32();
  return uuid(high, (time & 0xffff) << 16 | 0x7000 | a >>> 20, a, prng.uint32(), prng.uint32());
}

/** A UUID of version 4 (RFC 9562), random but for the version. */
export function uuidV4(prng: Prng): string {
  const b = prng.uint32();
  return uuid(prng.uint32(), b & 0xffff0fff | 0x4000, prng.uint32(), prng.uint32(), prng.uint32());
}

/** Of 32, 32, (the lower) 14, 32 and (the upper) 16 bits. */
// deno-fmt-ignore
function uuid(a: number, b: number, c: number, d: number, e: number): string {
  return fromCharCode(
    hex[a >>> 28]!, hex[a >>> 24 & 15]!, hex[a >>> 20 & 15]!, hex[a >>> 16 & 15]!,
    hex[a >>> 12 & 15]!, hex[a >>> 8 & 15]!, hex[a >>> 4 & 15]!, hex[a & 15]!, DASH,
    hex[b >>> 28]!, hex[b >>> 24 & 15]!, hex[b >>> 20 & 15]!, hex[b >>> 16 & 15]!, DASH,
    hex[b >>> 12 & 15]!, hex[b >>> 8 & 15]!, hex[b >>> 4 & 15]!, hex[b & 15]!, DASH,
    hex[8 | c >>> 12 & 3]!, hex[c >>> 8 & 15]!, hex[c >>> 4 & 15]!, hex[c & 15]!, DASH,
    hex[d >>> 28]!, hex[d >>> 24 & 15]!, hex[d >>> 20 & 15]!, hex[d >>> 16 & 15]!,
    hex[d >>> 12 & 15]!, hex[d >>> 8 & 15]!, hex[d >>> 4 & 15]!, hex[d & 15]!,
    hex[e >>> 28]!, hex[e >>> 24 & 15]!, hex[e >>> 20 & 15]!, hex[e >>> 16 & 15]!,
  );
}

const HOUR_MS = 3_600_000;
const ZERO = 48;

/** Writes times as RFC 3339 in UTC with milliseconds; remembers the hour, as times come in order. */
export class TimeWriter {
  private hour = NaN;
  private upToHour = "";

  /** @param time Epoch milliseconds. */
  write(time: number): string {
    const hour = Math.floor(time / HOUR_MS);
    if (hour !== this.hour) {
      this.hour = hour;
      this.upToHour = new Date(hour * HOUR_MS).toISOString().slice(0, 14);
    }
    const ms = time - hour * HOUR_MS;
    const minutes = Math.floor(ms / 60_000);
    const seconds = Math.floor(ms / 1000) % 60;
    // deno-fmt-ignore
    return this.upToHour + fromCharCode(
      ZERO + Math.floor(minutes / 10), ZERO + minutes % 10, 58,
      ZERO + Math.floor(seconds / 10), ZERO + seconds % 10, 46,
      ZERO + Math.floor(ms / 100) % 10, ZERO + Math.floor(ms / 10) % 10, ZERO + ms % 10, 90,
    );
  }
}
