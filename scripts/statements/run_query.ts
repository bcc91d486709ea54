import postgres from "postgres";
import type { Sql } from "../../activities/database.ts";
import { TaskError } from "../cli/failures.ts";
import type { Cell, Column } from "../cli/print_rows.ts";

/** Rows of one statement; numbers are text as PostgreSQL writes them, since a float would round some. */
export interface QueryResult {
  readonly columns: Column[];
  readonly rows: Cell[][];
}

const BOOLEAN = 16;
const JSON_TYPES = new Set([114, 3802]);
/** SQLSTATE insufficient_privilege. */
const NOT_ALLOWED = "42501";
/** int8, int2, int4, oid, float4, float8, numeric. */
const NUMBERS = new Set([20, 21, 23, 26, 700, 701, 1700]);

/**
 * Runs what a person wrote.
 *
 * @param query One or several statements.
 * @returns A result per statement that has columns.
 * @throws {TaskError} PostgreSQL's message with the place in the query
 */
export async function runQuery(sql: Sql, query: string): Promise<QueryResult[]> {
  const answer = await sql.unsafe(query).raw().catch((error) => {
    throw error instanceof postgres.PostgresError ? new TaskError(explain(error, query)) : error;
  });
  // Several statements give a list of results, each with columns of its own.
  const results = "columns" in answer && answer.columns ? [answer] : answer;
  return (results as unknown as RawResult[]).filter(({ columns }) => columns?.length > 0)
    .map(({ columns, ...rows }) => ({
      columns: columns.map(({ name, type }) => ({ name, isNumber: NUMBERS.has(type) })),
      rows: Object.values(rows).filter(Array.isArray).map((row: (Uint8Array | null)[]) =>
        row.map((value, index) => readCell(value, columns[index]!.type))
      ),
    }));
}

type RawResult = (Uint8Array | null)[][] & { columns: { name: string; type: number }[] };

function readCell(value: Uint8Array | null, type: number): Cell {
  if (value === null) return null;
  const text = new TextDecoder().decode(value);
  if (type === BOOLEAN) return text === "t";
  if (JSON_TYPES.has(type)) return JSON.parse(text);
  return text;
}

function explain(error: postgres.PostgresError, query: string): string {
  const { code, message, hint, detail, position } = error;
  return [
    `Cannot run the query: ${message}`,
    ...(position === undefined ? [] : pointAt(query, Number(position))),
    ...(detail === undefined ? [] : [`Detail: ${detail}`]),
    ...(code === NOT_ALLOWED && message.includes("table rejects")
      ? ["Hint: the reader may not see raw: deno task files show FILE --raw does"]
      : []),
    ...(hint === undefined ? [] : [`Hint: ${hint}`]),
  ].join("\n");
}

/** The line of the query with a caret under the place, counted in characters from 1. */
function pointAt(query: string, position: number): string[] {
  const characters = Array.from(query);
  const before = characters.slice(0, position - 1).join("").split("\n");
  const line = query.split("\n")[before.length - 1] ?? "";
  return [`  ${line}`, `  ${" ".repeat(Array.from(before.at(-1) ?? "").length)}^`];
}
