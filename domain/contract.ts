import { z } from "zod";
import type { RecordFaultCode } from "./faults.ts";
import { epochMicros } from "./_timestamp.ts";

/**
 * What happens to columns that the contract does not know: kept as `extras` (`rescue`), dropped
 * (`ignore`), or the file fails (`fail`).
 */
export const DRIFT_MODES = ["rescue", "ignore", "fail"] as const;

/** One of {@linkcode DRIFT_MODES}. */
export type DriftMode = typeof DRIFT_MODES[number];

/** How one kind of column is checked and stored. */
export interface ColumnKind {
  /** As in `create table`. */
  readonly postgresType: string;
  /** The header must name the column and no cell of it may be empty. */
  readonly required: boolean;
  /** An empty cell becomes null, not the empty string. */
  readonly nullable: boolean;
  /** The rule in words, for the documentation. */
  readonly ruleText: string;
  /** The truth: text of a cell → canonical text, which PostgreSQL casts as it is. */
  readonly rule: z.ZodType<string | null, string>;
  /** The same for plainly valid cells, without zod; undefined: ask the rule. */
  readonly plain: (text: string) => string | null | undefined;
  /**
   * Values that hardly recur are read where they stand: times, or what a function tells by its ASCII bytes between two
   * positions to be plainly valid and canonical. Of others, each spelling is checked once.
   */
  readonly inPlace?: "timestamp" | ((bytes: Uint8Array, from: number, to: number) => boolean);
  /** All values the column can have, where they are few enough to list. */
  readonly values?: readonly string[];
  /** Other spellings of a value, in lower case → that value. */
  readonly valueAliases?: Readonly<Record<string, string>>;
}

/** One column of a contract. */
export interface ContractColumn extends ColumnKind {
  readonly name: string;
  /** What the column means, for people. */
  readonly description: string;
  /** Other header names that mean this column. */
  readonly headerAliases: readonly string[];
}

/** A rule over two columns of a record, checked when both are valid by themselves. */
export interface RecordRule {
  readonly code: RecordFaultCode;
  /** The column to blame. */
  readonly column: string;
  /** Reads on after "expected". */
  readonly expected: string;
  /** The columns whose canonical values `holds` gets. */
  readonly reads: readonly [first: string, second: string];
  readonly holds: (first: string | null, second: string | null) => boolean;
}

/** What a contract is defined by. */
export interface ContractDefinition {
  /** The feed that the contract is of. */
  readonly feed: string;
  readonly version: number;
  readonly drift: DriftMode;
  readonly columns: readonly ContractColumn[];
  /** The column that says when the event happened: partitions and retention go by it. */
  readonly eventTime: {
    readonly column: string;
    /** Later than this after the file's discovery, a time is `out_of_range`. */
    readonly maxAheadMs: number;
    /** Reads on after "expected". */
    readonly expected: string;
  };
  readonly recordRules: readonly RecordRule[];
}

/** A versioned schema of a feed. */
export interface Contract extends ContractDefinition {
  /** Checks one record: the cells by column name, and `discovered_at` in epoch milliseconds. */
  readonly schema: z.ZodType<Record<string, unknown>>;
}

/**
 * Completes a definition with the zod schema built from its columns and rules.
 *
 * @param definition Columns and rules.
 * @returns The contract.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { SHOP_EVENTS } from "./shop_events.ts";
 *
 * const { schema } = defineContract({ ...SHOP_EVENTS, recordRules: [] });
 * assert.equal(schema.safeParse({}).success, false);
 * ```
 */
export function defineContract(definition: ContractDefinition): Contract {
  const { columns, eventTime, recordRules } = definition;
  const other = columns.find((column) =>
    column.inPlace === "timestamp" && column.name !== eventTime.column
  );
  if (other) throw new Error(`Cannot define a contract with a second time, ${other.name}`);
  const shape: Record<string, z.ZodType> = { discovered_at: z.number() };
  for (const { name, rule } of columns) shape[name] = rule;
  let schema: z.ZodType<Record<string, unknown>> = z.object(shape).refine(
    (record) =>
      epochMicros(record[eventTime.column] as string) <=
        ((record.discovered_at as number) + eventTime.maxAheadMs) * 1000,
    {
      path: [eventTime.column],
      error: eventTime.expected,
      params: { code: "out_of_range" satisfies RecordFaultCode },
      when: areSound([eventTime.column]),
    },
  );
  for (const { code, column, expected, reads, holds } of recordRules) {
    const [first, second] = reads;
    schema = schema.refine(
      (record) => holds(record[first] as string | null, record[second] as string | null),
      { path: [column], error: expected, params: { code }, when: areSound(reads) },
    );
  }
  return { ...definition, schema };
}

/** Lets a rule run if the columns it reads have no fault; faults of other columns don't hide it. */
function areSound(columns: readonly string[]) {
  return ({ issues }: z.core.ParsePayload) =>
    !issues.some(({ path }) => columns.includes(String(path?.[0])));
}
