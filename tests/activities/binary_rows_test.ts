import assert from "node:assert/strict";
import fc from "fast-check";
import { openDatabase } from "../../activities/database.ts";
import { BinaryCells, BinaryRows } from "../../activities/statements/binary_rows.ts";
import { copyRows } from "../../activities/statements/copy_rows.ts";
import { testDatabase } from "../harness.ts";

const ID = "019c1234-5678-7abc-8def-0123456789ab";
const HEADER_BYTES = 19;
const MOST = Number.MAX_SAFE_INTEGER;

/** What PostgreSQL reads from rows, as text. */
async function readBack(types: readonly string[], rows: Uint8Array[]): Promise<unknown[][]> {
  await using database = await testDatabase();
  const columns = types.map((type, index) => `c${index} ${type}`).join(", ");
  await database.sql.unsafe(`create table shop.copied (n serial, ${columns})`);
  await database.sql.unsafe(`
    grant insert on shop.copied to clickledger_ingest;
    grant usage on sequence shop.copied_n_seq to clickledger_ingest`);
  const names = types.map((_, index) => `c${index}`);
  const pool = openDatabase(database.url, "ingest", { max: 1 });
  try {
    await pool.begin((tx) =>
      copyRows(tx, `copy shop.copied (${names}) from stdin (format binary)`, rows)
    );
  } finally {
    await pool.end();
  }
  const texts = names.map((name) => `${name}::text as ${name}`);
  const found = await database.sql.unsafe(`select ${texts} from shop.copied order by n`);
  return found.map((row) => names.map((name) => row[name]));
}

Deno.test("BinaryRows says to PostgreSQL what the texts of the values say", async () => {
  const micros = [0, -1, 1_769_760_930_250_001, 946_684_799_999_999, 253_402_300_799_999_999];
  const hundredths = [0, 1, 99, 100, 12_990, 999_999, 1_000_000, 999_999_999_999, MOST];
  const bigints = [0, 1, -1, 2 ** 31, -(2 ** 32), MOST, -MOST];
  const texts = ["", "a", "Café", "😀 \t\n", 'The "Oak"', "x".repeat(300_000), "é".repeat(200_000)];
  const count = 9;
  const rows = new BinaryRows(9);
  for (let row = 0; row < count; row++) {
    rows.beginRow();
    rows.putInteger(row - 4);
    rows.putBigint(bigints[row % bigints.length]!);
    rows.putHalves(-1, row);
    rows.putTimestamp(micros[row % micros.length]!);
    rows.putHundredths(hundredths[row]!);
    rows.putUuid(new TextEncoder().encode(`--${ID}--`), 2);
    rows.putText(texts[row % texts.length]!);
    rows.putAscii(new TextEncoder().encode(`<${row}>`), 1, 2);
    if (row % 2 === 0) rows.putNull();
    else rows.putText(`\x01{"n": ${row}}`);
  }
  const types = [
    "integer",
    "bigint",
    "bigint",
    "timestamptz",
    "numeric(20,2)",
    "uuid",
    "text",
    "text",
  ];
  const found = await readBack([...types, "jsonb"], rows.end());
  const amount = (cents: number) => `${BigInt(cents) / 100n}.${`${cents % 100}`.padStart(2, "0")}`;
  assert.deepEqual(
    found.map(([integer, bigint, halves, time, numeric, id, text, ascii, json]) => [
      ...[integer, bigint, halves, numeric, id, text, ascii, json],
      // Dates have milliseconds only.
      Date.parse(`${time}`.replace("+00", "Z")),
    ]),
    Array.from({ length: count }, (_, row) => [
      ...[`${row - 4}`, `${bigints[row % bigints.length]}`, `${-(2n ** 32n) + BigInt(row)}`],
      ...[amount(hundredths[row]!), ID, texts[row % texts.length], `${row}`],
      row % 2 === 0 ? null : `{"n": ${row}}`,
      Math.floor(micros[row % micros.length]! / 1000),
    ]),
  );
  assert.equal(found[2]![3], "2026-01-30 08:15:30.250001+00");
});

Deno.test("BinaryRows lets PostgreSQL refuse an integer that is too large", async () => {
  for (const value of [2 ** 31, -(2 ** 31) - 1, 2 ** 32 + 1]) {
    const rows = new BinaryRows(1);
    rows.beginRow();
    rows.putInteger(value);
    await assert.rejects(readBack(["integer"], rows.end()), { code: "22P03" });
  }
});

Deno.test({
  name: "BinaryRows copies cells up to the end of their memory",
  permissions: "none",
  fn() {
    const bytesOf = (text: string) => [
      ...[0, 0, text.length >> 8, text.length & 0xff],
      ...new TextEncoder().encode(text),
    ];
    for (let length = 0; length < 9; length++) {
      // With their lengths they fill what cells have at first.
      const texts = ["a".repeat(length), "b".repeat(4096 - 8 - length)];
      const cells = new BinaryCells();
      for (const text of texts) {
        cells.putText(text);
        cells.endCell();
      }
      const rows = new BinaryRows(2);
      rows.beginRow();
      rows.putCells([{ cells, codeOf: Int32Array.of(1) }, { cells, codeOf: Int32Array.of(0) }], 0);
      const [piece] = rows.end();
      const expected = [0, 2, ...bytesOf(texts[1]!), ...bytesOf(texts[0]!), 0xff, 0xff];
      assert.deepEqual([...piece!.subarray(HEADER_BYTES)], expected);
    }
  },
});

Deno.test("BinaryRows cuts many rows into pieces, and copies cells as they were put", async () => {
  const values = fc.sample(fc.string({ unit: "binary", maxLength: 40 }), { numRuns: 200, seed: 7 })
    .map((value) => value.replaceAll("\0", "").replaceAll(/[\ud800-\udfff]/g, ""));
  const cells = new BinaryCells();
  for (const value of values) {
    cells.putText(value);
    cells.endCell();
  }
  const rows = new BinaryRows(2);
  const picks = Array.from({ length: 60_000 }, (_, row) => row * 7919 % values.length);
  picks.forEach((pick, row) => {
    rows.beginRow();
    rows.putInteger(row);
    rows.putCell(cells, pick);
  });
  const pieces = rows.end();
  assert.ok(pieces.length > 3);
  assert.deepEqual(
    await readBack(["integer", "text"], pieces),
    picks.map((pick, row) => [`${row}`, values[pick]]),
  );
});
