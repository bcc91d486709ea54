import { gzipSync, zstdCompressSync } from "node:zlib";
import { Buffer } from "node:buffer";
import type { FileFaultCode, RecordFaultCode } from "../../domain/faults.ts";
import { badValues } from "../../domain/generator/bad_values.ts";
import type { RecordFaultKind } from "../../domain/generator/fault_kinds.ts";
import { plantFaults } from "../../domain/generator/plant_faults.ts";
import { EVENT_HEADER, writeEvents } from "../../domain/generator/write_events.ts";
import { SHOP_EVENTS } from "../../domain/shop_events.ts";
import { eventRows } from "../event_lines.ts";

/** A file that somebody might drop into an inbox, and what must become of it. */
export interface BadFile {
  name: string;
  bytes: string | Uint8Array;
  /** Why the file as a whole is not loaded. */
  fails?: FileFaultCode;
  /** Records that become rows. */
  loaded?: number;
  duplicates?: number;
  /** Codes of the rejects, in the order of their lines. */
  rejects?: RecordFaultCode[];
  /** It has the bytes of a file before it. */
  isDuplicate?: boolean;
  /** Cells that are stored as they stand in the file, however they look: of `product_name`. */
  keeps?: string[];
}

const ROWS = 5;
const EVENTS = eventRows({ seed: 21, rows: 4_000 });
let used = 0;

/** Cap on expanded bytes of who reads these files. */
export const MAX_EXPANDED_BYTES = 10_000_000;
/** The feed's horizon of who reads these files, and a time before it. */
export const HORIZON = "2020-01-01T00:00:00Z";
const BEFORE_HORIZON = "2019-12-31T23:59:59Z";

/** Events that no other file of this list has. */
function fresh(rows = ROWS) {
  used += rows;
  return EVENTS.slice(used - rows, used);
}

function csv(rows = fresh()): string {
  return EVENT_HEADER + writeEvents(rows);
}

/** Every record at fault in this way. */
function faulty(kind: RecordFaultKind, rows = ROWS): Pick<BadFile, "bytes" | "rejects"> {
  const { bytes, truth } = plantFaults({ rows: fresh(rows), seed: 3, share: 1, kinds: [kind] });
  const codes = truth.map(({ verdict }) => verdict.replace("rejected:", ""));
  return { bytes, rejects: codes as RecordFaultCode[] };
}

/** Rows of views whose cells need no quotes, so that lines can be taken apart by hand. */
function plainRows(rows = ROWS): string[][] {
  const found: string[][] = [];
  while (found.length < rows) {
    const [row] = fresh(1);
    const isPlain = !row!.some((cell) => /[",\n]/.test(cell));
    if (isPlain && row![TYPE] === "product_view") found.push(row!);
  }
  return found;
}

function plainLines(rows = ROWS): string[] {
  return plainRows(rows).map((row) => row.join(","));
}

/** Sound events around one that has this cell. */
function withCell(column: string, value: string): string {
  const rows = plainRows();
  return csv(rows.with(2, rows[2]!.with(COLUMNS.indexOf(column), value)));
}

/** That event is rejected, and no other. */
function badCell(column: string, value: string, code: RecordFaultCode): BadFile {
  const bytes = withCell(column, value);
  const name = `${column} ${printable(value)}.csv`;
  return { name, bytes, loaded: ROWS - 1, rejects: [code] };
}

/** That event is loaded as well, with that text in it. */
function strangeText(what: string, value: string): BadFile {
  const bytes = withCell("product_name", value);
  return { name: `${what}.csv`, bytes, loaded: ROWS, keeps: [value] };
}

/** As part of a file's name. */
function printable(value: string): string {
  return value.replaceAll("/", "-") || "empty";
}

/** A text of 3 bytes a character begins so far before each border that the border cuts a character. */
function acrossBorders(borders: readonly number[], text: string): string {
  const encoder = new TextEncoder();
  let written = EVENT_HEADER;
  for (const border of borders) {
    const [row] = plainRows(1);
    const line = row!.with(COLUMNS.indexOf("product_name"), text).join(",");
    const before = encoder.encode(line.slice(0, line.indexOf(text))).length + 1;
    written += "\n".repeat(border - before - encoder.encode(written).length) + line + "\n";
  }
  return written;
}

/** Of each column one record whose cell opens a quote, and a sound record behind it. */
function openQuotes(): { bytes: string; loaded: number; rejects: RecordFaultCode[] } {
  const bytes = EVENT_HEADER + COLUMNS.map((_, column) => {
    const [broken, sound] = plainRows(2);
    return `${broken!.with(column, `"${broken![column] || "x"}`).join(",")}\n${sound!.join(",")}\n`;
  }).join("");
  return { bytes, loaded: COLUMNS.length, rejects: COLUMNS.map(() => "broken_quote") };
}

/** What a cell with a quote in it is rejected for, by column; as a text it is fine. */
const WITH_QUOTE: Readonly<Record<string, RecordFaultCode>> = {
  event_id: "invalid_uuid",
  event_time: "invalid_timestamp",
  event_type: "unknown_value",
  session_id: "invalid_uuid",
  price: "invalid_number",
  currency: "unknown_value",
  quantity: "invalid_number",
  order_id: "invalid_uuid",
  device: "unknown_value",
  country: "unknown_value",
};

/** Of each column a record that opens a quote, a sound one, and one that closes the quote. */
function closedQuotes(): { bytes: string; loaded: number; rejects: RecordFaultCode[] } {
  const rejects: RecordFaultCode[] = [];
  const bytes = EVENT_HEADER + COLUMNS.map((name, column) => {
    const [opens, sound, closes] = plainRows(3);
    const code = WITH_QUOTE[name];
    if (code !== undefined) rejects.push(code, code);
    return row(opens!.with(column, `"${opens![column] || "x"}`)) + row(sound!) +
      row(closes!.with(column, `${closes![column] || "x"}"`));
  }).join("");
  return { bytes, loaded: 3 * COLUMNS.length - rejects.length, rejects };
}

function swapped(bytes: Uint8Array): Uint8Array {
  return Buffer.from(bytes).swap16();
}

const HEADER = EVENT_HEADER.trimEnd();
const COLUMNS = HEADER.split(",");
const TYPE = COLUMNS.indexOf("event_type");
const ALIASES = SHOP_EVENTS.columns.map(({ name, headerAliases }) => headerAliases[0] ?? name);

const cut = plainLines();
const twice = csv();
const [once, conflicting, apart, opposed, opposedApart] = [
  fresh(),
  fresh(),
  fresh(),
  fresh(),
  fresh(),
];
const price = COLUMNS.indexOf("price");
const NAME = COLUMNS.indexOf("product_name");
const OPTIONAL = new Set(["category", "brand", "order_id"]);
const [stray, stray2] = plainRows(2) as [string[], string[]];
/** An opening quote, two sound records below, and one that closes it: each is a text of its own. */
const QUOTES = ['"open', 'closed"'] as const;
const quoted = plainRows(5);

function row(cells: readonly string[]): string {
  return `${cells.join(",")}\n`;
}

function delimitedBy(delimiter: string): string {
  return [COLUMNS, ...plainRows()].map((cells) => cells.join(delimiter)).join("\n");
}

/** In this order, one after the other. */
export const BAD_FILES: readonly BadFile[] = [
  { name: "good.csv", bytes: csv(), loaded: ROWS },

  { name: "empty.csv", bytes: "", fails: "empty_file" },
  { name: "only a byte order mark.csv", bytes: "\ufeff", fails: "empty_file" },
  { name: "only NUL bytes.csv", bytes: "\0".repeat(4_096), fails: "header_not_recognised" },
  { name: "only a blank.csv", bytes: " ", fails: "header_not_recognised" },
  { name: "only blank lines.csv", bytes: "\n\n\r\n", fails: "empty_file" },
  { name: "header only.csv", bytes: EVENT_HEADER, loaded: 0 },
  { name: "header without line end.csv", bytes: HEADER, loaded: 0 },
  {
    name: "picture.csv",
    bytes: Buffer.from("89504e470d0a1a0a0000000d49484452ff00fe", "hex"),
    fails: "unsupported_encoding",
  },
  { name: "other contract.csv", bytes: "name,born\nAda,1815\n", fails: "header_not_recognised" },
  { name: "no header.csv", bytes: writeEvents(fresh()), fails: "header_not_recognised" },
  {
    name: "column missing.csv",
    bytes: `${COLUMNS.slice(1).join(",")}\n${
      cut.map((line) => line.split(",").slice(1)).join("\n")
    }`,
    fails: "missing_column",
  },
  {
    name: "column twice.csv",
    bytes: `${HEADER},price\n${plainLines().map((line) => `${line},1.00`).join("\n")}\n`,
    fails: "duplicate_column",
  },

  {
    name: "column misspelt.csv",
    bytes: csv().replace("event_time", "evnt_time"),
    fails: "missing_column",
  },
  {
    name: "preamble before the header.csv",
    bytes: `Export of 2026-01-31\n\n${csv()}`,
    fails: "header_not_recognised",
  },

  { name: "too few fields.csv", ...faulty("missing_column") },
  { name: "too many fields.csv", ...faulty("extra_column") },
  { name: "bad values.csv", ...faulty("bad_value", 2 * badValues("purchase").length) },
  { name: "NUL bytes.csv", ...faulty("nul_byte") },
  { name: "Latin-1.csv", ...faulty("invalid_utf8") },
  { name: "quotes closed by later ones.csv", ...faulty("broken_quote") },
  {
    name: "quote open to the end.csv",
    bytes: `${csv()}"${plainLines().join("\n")}`,
    loaded: 2 * ROWS - 1,
    rejects: ["broken_quote"],
  },
  {
    name: "header twice.csv",
    bytes: csv() + csv(),
    loaded: 2 * ROWS,
    rejects: ["repeated_header"],
  },
  {
    name: "a thousand columns.csv",
    bytes: `${csv()}${"x,".repeat(1_000)}\n${writeEvents(fresh())}`,
    loaded: 2 * ROWS,
    rejects: ["too_many_columns"],
  },
  {
    name: "a record of 2 MiB.csv",
    bytes: `${csv()}${"x".repeat(2 * 1024 * 1024)}\n${writeEvents(fresh())}`,
    loaded: 2 * ROWS,
    rejects: ["record_too_long"],
  },

  { name: "quote open in each column.csv", ...openQuotes() },
  { name: "quote closed lines below in each column.csv", ...closedQuotes() },
  {
    name: "quote closed lines below, a text each.csv",
    bytes: `${HEADER}\n${
      quoted.map((row, index) =>
        row.map((cell, column) => column === NAME && index % 4 === 0 ? QUOTES[index / 4] : cell)
          .join(",")
      ).join("\n")
    }\n`,
    loaded: 5,
    keeps: [...QUOTES],
  },
  strangeText("quotes in a cell", 'a 5" "screen""'),
  {
    name: "quote in an unquoted cell.csv",
    bytes: `${HEADER}\n${row(stray.with(NAME, 'Screen 5" wide'))}`,
    loaded: 1,
    keeps: ['Screen 5" wide'],
  },
  {
    name: "text behind a closing quote.csv",
    bytes: `${csv()}${row(plainRows(1)[0]!.with(NAME, '"Screen" wide'))}${writeEvents(fresh())}`,
    loaded: 2 * ROWS,
    rejects: ["broken_quote"],
  },
  {
    name: "a million columns.csv",
    bytes: `${csv()}${",".repeat(999_999)}\n${writeEvents(fresh())}`,
    loaded: 2 * ROWS,
    rejects: ["too_many_columns"],
  },
  {
    name: "header of a million columns.csv",
    bytes: `${HEADER}${",".repeat(1_000_000 - COLUMNS.length)}\n${writeEvents(fresh())}`,
    fails: "header_not_recognised",
  },
  {
    name: "header of 2 MiB.csv",
    bytes: `${"x".repeat(2 * 1024 * 1024)}\n${writeEvents(fresh())}`,
    fails: "header_not_recognised",
  },

  { name: "no line end.csv", bytes: csv().trimEnd(), loaded: ROWS },
  { name: "CRLF.csv", bytes: `${HEADER}\r\n${plainLines().join("\r\n")}\r\n`, loaded: ROWS },
  { name: "CR.csv", bytes: `${HEADER}\r${plainLines().join("\r")}\r`, loaded: ROWS },
  { name: "blank lines.csv", bytes: csv().replaceAll("\n", "\n\n"), loaded: ROWS },
  { name: "byte order mark.csv", bytes: `\ufeff${csv()}`, loaded: ROWS },
  {
    name: "semicolons.csv",
    bytes: [HEADER, ...plainLines()].join("\n").replaceAll(",", ";"),
    loaded: ROWS,
  },
  {
    name: "aliases in another order.csv",
    bytes: [ALIASES.join(",").toUpperCase(), ...plainLines()]
      .map((line) => line.split(",").reverse().join(",")).join("\n"),
    loaded: ROWS,
  },
  {
    name: "unknown column.csv",
    bytes: [`${HEADER},campaign`, ...plainLines().map((line) => `${line},spring`)].join("\n"),
    loaded: ROWS,
  },
  {
    name: "columns reordered.csv",
    bytes: [HEADER, ...plainLines()].map((line) => line.split(",").reverse().join(",")).join("\n"),
    loaded: ROWS,
  },
  {
    name: "optional columns absent.csv",
    bytes: [COLUMNS, ...plainRows()]
      .map((cells) => cells.filter((_, column) => !OPTIONAL.has(COLUMNS[column]!)).join(","))
      .join("\n"),
    loaded: ROWS,
  },
  { name: "tabs.csv", bytes: delimitedBy("\t"), loaded: ROWS },
  { name: "pipes.txt", bytes: delimitedBy("|"), loaded: ROWS },
  {
    name: "decimal commas between semicolons.csv",
    bytes: [HEADER.replaceAll(",", ";"), ...plainRows().map((cells) => cells.with(price, "1,5"))]
      .map((cells) => Array.isArray(cells) ? cells.join(";") : cells).join("\n"),
    rejects: Array(ROWS).fill("invalid_number"),
  },
  {
    name: "mixed line ends.csv",
    bytes: plainLines().reduce(
      (text, line, n) => text + line + ["\n", "\r\n", "\r"][n % 3],
      `${HEADER}\r\n`,
    ),
    loaded: ROWS,
  },
  {
    name: "byte order mark before a header in the middle.csv",
    bytes: `${csv()}\ufeff${csv()}`,
    loaded: 2 * ROWS,
    rejects: ["repeated_header"],
  },
  {
    name: "characters of three bytes across the borders of reads.csv",
    bytes: acrossBorders([64 * 1024, 256 * 1024, 1024 * 1024], "€".repeat(20)),
    loaded: 3,
    keeps: Array(3).fill("€".repeat(20)),
  },
  {
    name: "UTF-16 big endian.csv",
    bytes: swapped(Buffer.from(`\ufeff${csv()}`, "utf16le")),
    loaded: ROWS,
  },
  {
    name: "UTF-16 without byte order mark.csv",
    bytes: Buffer.from(csv(), "utf16le"),
    fails: "header_not_recognised",
  },
  {
    name: "lone surrogate in UTF-16.csv",
    bytes: Buffer.from(`\ufeff${withCell("product_name", "half \ud83d of it")}`, "utf16le"),
    loaded: ROWS - 1,
    rejects: ["invalid_utf8"],
  },
  {
    name: "lone surrogate in UTF-8.csv",
    bytes: Buffer.concat([
      Buffer.from(csv()),
      Buffer.from(row(stray2.with(NAME, "half \xed\xa0\xbd of it")), "latin1"),
      Buffer.from(writeEvents(fresh())),
    ]),
    loaded: 2 * ROWS,
    rejects: ["invalid_utf8"],
  },
  { name: "UTF-16.csv", bytes: Buffer.from(`\ufeff${csv()}`, "utf16le"), loaded: ROWS },
  { name: "compressed.csv.gz", bytes: gzipSync(csv()), loaded: ROWS },
  { name: "compressed.csv.zst", bytes: zstdCompressSync(csv()), loaded: ROWS },
  {
    name: "two members.csv.gz",
    bytes: Buffer.concat([gzipSync(csv()), gzipSync(writeEvents(fresh()))]),
    loaded: 2 * ROWS,
  },
  {
    name: "larger than allowed once expanded.csv.gz",
    bytes: gzipSync(Buffer.alloc(MAX_EXPANDED_BYTES + 1, "\n")),
    fails: "too_large_expanded",
  },
  {
    name: "cut.csv.gz",
    bytes: gzipSync(csv()).subarray(0, -20),
    fails: "broken_compression",
  },
  { name: "not compressed.csv.gz", bytes: csv(), fails: "broken_compression" },

  badCell("price", "1,5", "invalid_number"),
  badCell("price", "$74.69", "invalid_number"),
  badCell("price", "1e309", "invalid_number"),
  badCell("price", "NaN", "invalid_number"),
  badCell("price", "-0", "out_of_range"),
  badCell("price", "1.999", "invalid_number"),
  badCell("price", "10000000000", "out_of_range"),
  badCell("quantity", "1.0", "invalid_number"),
  badCell("quantity", "99999999999999999999", "out_of_range"),
  badCell("event_id", "2.05E+18", "invalid_uuid"),
  badCell("event_time", "2026-01-05T12:00:00", "invalid_timestamp"),
  badCell("event_time", "2026-01-05T24:00:00Z", "invalid_timestamp"),
  badCell("event_time", "2016-12-31T23:59:60Z", "invalid_timestamp"),
  badCell("event_time", "2026-02-29T12:00:00Z", "invalid_timestamp"),
  badCell("event_time", "1767614400", "invalid_timestamp"),
  badCell("event_time", "1970-01-01T00:00:00Z", "out_of_range"),
  badCell("event_time", "2037-12-31T23:59:59Z", "out_of_range"),
  badCell("event_time", BEFORE_HORIZON, "before_horizon"),
  {
    name: "product_id 2.05E+18.csv",
    bytes: withCell("product_id", "2.05E+18"),
    loaded: ROWS,
  },
  strangeText("SQL in a cell", "'); drop table shop.events; --"),
  strangeText("end of a COPY in a cell", "\\."),
  strangeText("null of a COPY in a cell", "\\N"),
  strangeText("NULL in a cell", "NULL"),
  strangeText("backslashes in a cell", "C:\\new\\table\\"),
  strangeText("tabs in a cell", "\tone\ttwo"),
  strangeText("line ends in a cell", "one\ntwo\r\nthree"),
  strangeText("array literal in a cell", '{"a",null}'),
  strangeText("formula in a cell", "=cmd|' /C calc'!A0"),
  strangeText("formulas of other signs", "@SUM(1+1)*-2"),
  strangeText("right-to-left and emoji", "\u202eمصباح 🪔\u200f"),

  { name: "twice.csv", bytes: twice, loaded: ROWS },
  { name: "twice again.csv", bytes: twice, isDuplicate: true },
  { name: "event twice.csv", bytes: csv([...once, ...once]), loaded: ROWS, duplicates: ROWS },
  { name: "events of another file.csv", bytes: `${csv(once)}\n`, duplicates: ROWS },
  { name: "original.csv", bytes: csv(conflicting), loaded: ROWS },
  {
    name: "conflicting.csv",
    bytes: csv(conflicting.map((row) => row.with(price, "0.01"))),
    rejects: Array(ROWS).fill("conflicting_event"),
  },

  {
    name: "event twice, chunks apart.csv",
    bytes: csv(apart) + "\n".repeat(70_000) + writeEvents(apart),
    loaded: ROWS,
    duplicates: ROWS,
  },
  {
    name: "one id, two contents, in one chunk.csv",
    bytes: csv(opposed) + writeEvents(opposed.map((row) => row.with(price, "0.01"))),
    loaded: ROWS,
    rejects: Array(ROWS).fill("conflicting_event"),
  },
  {
    name: "one id, two contents, chunks apart.csv",
    bytes: csv(opposedApart) + "\n".repeat(70_000) +
      writeEvents(opposedApart.map((row) => row.with(price, "0.01"))),
    loaded: ROWS,
    rejects: Array(ROWS).fill("conflicting_event"),
  },
  { name: "good.csv", bytes: csv(), loaded: ROWS },

  { name: "good at the end.csv", bytes: csv(), loaded: ROWS },
];
