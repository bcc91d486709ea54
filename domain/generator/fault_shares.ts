import {
  type FaultKind,
  FILE_FAULT_KINDS,
  PLANTED_FAULTS,
  RECORD_FAULT_KINDS,
} from "./fault_kinds.ts";

/** How many are at fault, 0 to 1: of all events for a kind of records, of all files for one of files. */
export type FaultShares = { readonly [Kind in FaultKind]?: number };

/** The share of a kind that is named without one. */
const DEFAULT_SHARES = { record: 0.01, file: 0.1 } as const;

/** Why a text does not say what faults to plant; its message is shown to people. */
export class InvalidFaults extends Error {
  override name = "InvalidFaults";
}

/**
 * Reads what faults to plant: a share for all kinds together (`0.01`: one event in a hundred, and one
 * file in a hundred), or kinds with or without a share of their own (`duplicate=0.01,broken_quote`).
 * The beginning of a kind's name will do.
 *
 * @throws {InvalidFaults} saying what is known
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 *
 * assert.deepEqual(readFaultShares("duplicate=0.02,renamed"), {
 *   duplicate_event: 0.02,
 *   renamed_copy: 0.1,
 * });
 * assert.equal(readFaultShares("0.09").nul_byte, 0.01);
 * assert.deepEqual(readFaultShares("0"), {});
 * ```
 */
export function readFaultShares(text: string): FaultShares {
  if (NUMBER.test(text)) return evenShares(readShare(text));
  const shares: Record<string, number> = {};
  for (const part of text.split(",")) {
    const [name = "", share, ...more] = part.split("=");
    const kind = findKind(name.trim());
    if (more.length > 0) throw new InvalidFaults(`Cannot plant ${part}: expected KIND=SHARE`);
    shares[kind] = share === undefined
      ? DEFAULT_SHARES[PLANTED_FAULTS[kind].of]
      : readShare(share.trim());
  }
  assertShares(shares);
  return shares;
}

/** Throws when more than all would be at fault. */
export function assertShares(shares: FaultShares): void {
  for (const kinds of [RECORD_FAULT_KINDS, FILE_FAULT_KINDS]) {
    const total = kinds.reduce((sum, kind) => sum + (shares[kind] ?? 0), 0);
    if (total > 1 + 1e-9) {
      throw new InvalidFaults(`Cannot plant faults in ${total} of all: expected at most 1`);
    }
  }
}

/** The share divided among kinds, all of them by default. */
export function evenShares(
  share: number,
  kinds: readonly FaultKind[] = [...RECORD_FAULT_KINDS, ...FILE_FAULT_KINDS],
): FaultShares {
  if (share === 0) return {};
  const alike = (kind: FaultKind) =>
    kinds.filter((other) => PLANTED_FAULTS[other].of === PLANTED_FAULTS[kind].of).length;
  return Object.fromEntries(kinds.map((kind) => [kind, share / alike(kind)]));
}

/** The same as text, for people. */
export function describeFaults(shares: FaultShares): string {
  const [ofEvents, ofFiles] = [
    commonShare(shares, RECORD_FAULT_KINDS),
    commonShare(shares, FILE_FAULT_KINDS),
  ];
  if (ofEvents !== null && ofFiles !== null) {
    return `every kind, ${ofEvents} of the events and ${ofFiles} of the files`;
  }
  const parts = Object.entries(shares).map(([kind, share]) => `${kind} ${rounded(share)}`);
  return parts.length === 0 ? "none" : parts.join(", ");
}

/** All kinds together, if each has the same share; else null. */
function commonShare(shares: FaultShares, kinds: readonly FaultKind[]): number | null {
  const share = shares[kinds[0]!];
  if (share === undefined || kinds.some((kind) => shares[kind] !== share)) return null;
  return rounded(share * kinds.length);
}

function rounded(share: number): number {
  return Number(share.toPrecision(3));
}

const NUMBER = /^\d*\.?\d+$/;

function readShare(text: string): number {
  if (NUMBER.test(text) && Number(text) <= 1) return Number(text);
  throw new InvalidFaults(`Cannot plant a share of ${text}: expected a number from 0 to 1`);
}

function findKind(name: string): FaultKind {
  const kinds = [...RECORD_FAULT_KINDS, ...FILE_FAULT_KINDS];
  const found = name === "" ? [] : kinds.filter((kind) => kind.startsWith(name));
  const [only] = found;
  if (only !== undefined && found.length === 1) return only;
  throw new InvalidFaults(
    `Cannot plant ${name}: ${found.length > 1 ? "it may mean" : "known are"} ${
      (found.length > 1 ? found : kinds).join(", ")
    }`,
  );
}
