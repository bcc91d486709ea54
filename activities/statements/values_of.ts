import type { Codes } from "../../domain/accepted_records.ts";
import type { Contract } from "../../domain/contract.ts";
import type { ChunkBatch } from "../../domain/read_chunk.ts";

/**
 * The values of one column of a batch's accepted records, by row; none where a batch has not even columns.
 *
 * @param contract Tells the columns apart.
 * @param batch The batch.
 * @param name A column of the contract that is never empty.
 */
export function valuesOf(
  contract: Contract,
  { accepted }: Pick<ChunkBatch, "accepted">,
  name: string,
): string[] {
  const column = contract.columns.findIndex((column) => column.name === name);
  return (accepted.columns[column]?.toArray() ?? []) as string[];
}

/**
 * The same column as numbers, to group by.
 *
 * @param contract Tells the columns apart.
 * @param batch The batch.
 * @param name A column of the contract that is never empty.
 */
export function codesOf(
  contract: Contract,
  { accepted }: Pick<ChunkBatch, "accepted">,
  name: string,
): Codes & { values: readonly string[] } {
  const column = contract.columns.findIndex((column) => column.name === name);
  const codes = accepted.columns[column]?.codes() ?? { codeOf: new Int32Array(), values: [] };
  return codes as Codes & { values: readonly string[] };
}
