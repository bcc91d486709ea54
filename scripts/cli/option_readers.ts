import { InvalidArgumentError } from "commander";
import { type FaultShares, readFaultShares } from "../../domain/generator/fault_shares.ts";
import type { Interval } from "../../domain/generator_state.ts";

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/** A whole number from 1. */
export function readWhole(text: string): number {
  if (/^[1-9]\d{0,11}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("expected a whole number from 1");
}

/** A whole number that fits 32 bits. */
export function readSeed(text: string): number {
  if (/^\d{1,10}$/.test(text) && Number(text) < 2 ** 32) return Number(text);
  throw new InvalidArgumentError("expected a whole number from 0 to 4294967295");
}

/** A number above 0. */
export function readPositive(text: string): number {
  if (/^\d{1,9}(\.\d{1,6})?$/.test(text) && Number(text) > 0) return Number(text);
  throw new InvalidArgumentError("expected a number above 0");
}

/** A point in time, as epoch milliseconds. */
export function readInstant(text: string): number {
  const time = Date.parse(text);
  if (/^\d{4}-\d\d-\d\d(T[\d:.]+(Z|[+-]\d\d:\d\d))?$/.test(text) && !Number.isNaN(time)) {
    return time;
  }
  throw new InvalidArgumentError("expected a date or RFC 3339, such as 2026-01-31T09:30:00Z");
}

/** A time such as `5s`, or a range such as `1s..3s`, of which every moment is as likely. */
export function readInterval(text: string): Interval {
  const [min, max = min, ...more] = text.split("..").map(readDuration);
  if (min !== undefined && max !== undefined && more.length === 0) {
    return { minMs: min, maxMs: max };
  }
  throw new InvalidArgumentError("expected a time such as 5s, or a range such as 1s..3s");
}

/** What faults to plant. */
export function readFaults(text: string): FaultShares {
  try {
    return readFaultShares(text);
  } catch (error) {
    throw new InvalidArgumentError(error instanceof Error ? error.message : String(error));
  }
}

/** Milliseconds; undefined when it is no duration. */
function readDuration(text: string): number | undefined {
  const match = /^(\d{1,6}(?:\.\d{1,3})?)(ms|s|m|h)$/.exec(text.trim());
  if (match === null) return undefined;
  return Math.round(Number(match[1]) * UNIT_MS[match[2]!]!);
}
