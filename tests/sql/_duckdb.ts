import { DuckDBInstance } from "@duckdb/node-api";

/** A value as both databases are compared by: numbers without trailing zeros, times in milliseconds. */
export type Plain = string | number | boolean | null;

/** The events of some CSV files in DuckDB, read by its own reader. */
export interface DuckEvents extends Disposable {
  /** Rows of a query over the table `ev`: the columns of the contract, times in UTC without a zone. */
  query(sql: string): Promise<Plain[][]>;
}

/**
 * Reads CSV files of events into DuckDB.
 *
 * @param pattern Path of the files, with `*`.
 */
export async function openDuckEvents(pattern: string): Promise<DuckEvents> {
  const instance = await DuckDBInstance.create(":memory:");
  const connection = await instance.connect();
  await connection.run(`
    create table ev as
    select event_id, strptime(event_time, '%Y-%m-%dT%H:%M:%S.%gZ') as t, event_type, user_id, session_id,
           product_id, product_name, coalesce(category, '') as category, coalesce(brand, '') as brand,
           price::decimal(12,2) as price, currency, quantity::integer as quantity, order_id, device, country
    from read_csv('${pattern}', header = true, all_varchar = true)`);
  return {
    async query(sql) {
      const reader = await connection.runAndReadAll(sql);
      return reader.getRowsJson().map((row) => row.map((cell) => plain(cell)));
    },
    [Symbol.dispose]() {
      connection.closeSync();
      instance.closeSync();
    },
  };
}

/** The same for what PostgreSQL or DuckDB answer. */
export function plain(cell: unknown): Plain {
  if (cell === null || cell === undefined) return null;
  if (typeof cell === "boolean") return cell;
  if (cell instanceof Date) return cell.toISOString();
  if (typeof cell === "number" || typeof cell === "bigint") return trimmed(String(cell));
  const text = String(cell);
  if (/^-?\d+(\.\d+)?$/.test(text)) return trimmed(text);
  const time = /^(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)(\.\d+)?(Z|\+00)?$/.exec(text);
  return time ? new Date(`${time[1]}T${time[2]}${time[3] ?? ""}Z`).toISOString() : text;
}

function trimmed(number: string): string {
  const shorter = number.includes(".") ? number.replace(/\.?0+$/, "") : number;
  return shorter === "-0" ? "0" : shorter;
}
