import type { Contract } from "../../domain/contract.ts";
import type { ChunkBatch } from "../../domain/read_chunk.ts";
import type { Transaction } from "../database.ts";
import { appendDeltas, ROLLED_UP_COLUMNS } from "./append_deltas.ts";
import { plainArray, textArray } from "./array_literal.ts";
import { ROWS_PER_STATEMENT } from "./insert_keys.ts";

/**
 * Inserts the fresh events of a chunk and appends what they change in the rollups.
 *
 * @param tx The chunk transaction.
 * @param chunk Which file, its contract and batch.
 * @param rows Positions of the fresh records, in file order.
 */
export async function insertEvents(
  tx: Transaction,
  { fileId, contract, batch }: { fileId: number; contract: Contract; batch: ChunkBatch },
  rows: number[],
): Promise<void> {
  const statement = insertStatement(contract);
  const { columns, lines, extras } = batch.accepted;
  for (let start = 0; start < rows.length; start += ROWS_PER_STATEMENT) {
    const some = rows.slice(start, start + ROWS_PER_STATEMENT);
    const values = contract.columns.map(({ postgresType }, index) => {
      const cells = some.map((row) => columns[index]!.at(row));
      return isPlain(postgresType) ? plainArray(cells) : textArray(cells);
    });
    await tx.unsafe(statement, [
      fileId,
      plainArray(some.map((row) => lines.at(row))),
      textArray(some.map((row) => extras.get(row) ?? null)),
      ...values,
    ], { prepare: true });
  }
}

/** Built from the contract, the one place that knows the columns; `char(n)[]` would pad, so those travel as text. */
function insertStatement(contract: Contract): string {
  const known = statements.get(contract);
  if (known !== undefined) return known;
  const names = contract.columns.map(({ name }) => name).join(", ");
  const arrays = contract.columns.map(({ postgresType }, index) =>
    `$${index + 4}::${postgresType.startsWith("char") ? "text" : postgresType}[]`
  ).join(", ");
  const statement = `
    with inserted as (
      insert into shop.events (file_id, line_number, extras, ${names})
      select $1::bigint, e.line_number, e.extras, ${names}
      from unnest($2::integer[], $3::jsonb[], ${arrays}) as e (line_number, extras, ${names})
      returning ${ROLLED_UP_COLUMNS}
    )${appendDeltas("inserted", "+")}`;
  statements.set(contract, statement);
  return statement;
}

const statements = new WeakMap<Contract, string>();

function isPlain(postgresType: string): boolean {
  return /^(uuid|timestamptz|integer|bigint|numeric)/.test(postgresType);
}
