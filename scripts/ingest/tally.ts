import { type Fault, FAULT_CODES } from "../../domain/faults.ts";
import type { Counts } from "../../domain/ledger.ts";

/** Of the lines that have a fault, the first few lead to the cause. */
const SHOWN_LINES = 8;
/** Of the conflicts of a file, so many are told one by one; all are counted. */
const SHOWN_CONFLICTS = 100;

/** A file that is meant by another: one of the ledger has a number. */
export interface OtherFile {
  readonly fileId?: number;
  readonly name: string;
}

/** Two lines with one event_id and different content: exactly one of them is loaded. */
export interface Conflict {
  readonly line: number;
  readonly other: OtherFile & { readonly line: number };
}

/** Records that share a fault. */
export interface FaultCount {
  readonly fault: Fault;
  readonly rejects: number;
  /** Of the first ones. */
  readonly lines: readonly number[];
}

/** Counts what would become of the records of a file. */
export class Tally {
  readonly counts: Counts = { records: 0, loaded: 0, duplicates: 0, rejected: 0 };
  /** Rejects that count for the error budget. */
  counted = 0;
  readonly conflicts: Conflict[] = [];
  readonly #faults = new Map<string, { fault: Fault; rejects: number; lines: number[] }>();

  load(): void {
    this.counts.records++;
    this.counts.loaded++;
  }

  duplicate(): void {
    this.counts.records++;
    this.counts.duplicates++;
  }

  conflict(line: number, other: Conflict["other"]): void {
    this.reject(line, [{ code: "conflicting_event" }]);
    if (this.conflicts.length < SHOWN_CONFLICTS) this.conflicts.push({ line, other });
  }

  reject(line: number, faults: readonly Fault[]): void {
    this.counts.records++;
    this.counts.rejected++;
    if (faults.every(({ code }) => FAULT_CODES[code].countsForErrorBudget)) this.counted++;
    for (const fault of faults) {
      const key = JSON.stringify([fault.code, fault.column, fault.expected]);
      const known = this.#faults.get(key) ?? { fault, rejects: 0, lines: [] };
      known.rejects++;
      if (known.lines.length < SHOWN_LINES) known.lines.push(line);
      this.#faults.set(key, known);
    }
  }

  /** Most frequent first. */
  faults(): FaultCount[] {
    return [...this.#faults.values()].sort((a, b) => b.rejects - a.rejects);
  }
}
