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
}

const ROWS = 5;
let used = 0;

/** Events that no other file of this list has. */
function fresh(rows = ROWS) {
  const from = used;
  used += rows;
  return eventRows({ seed: 21, rows, from });
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

/** Cells without quotes, so that lines can be taken apart by hand. */
function plainLines(): string[] {
  return fresh(400).filter((row) => !row.some((cell) => /[",\n]/.test(cell))).slice(0, ROWS)
    .map((row) => row.join(","));
}

const HEADER = EVENT_HEADER.trimEnd();
const COLUMNS = HEADER.split(",");
const ALIASES = SHOP_EVENTS.columns.map(({ name, headerAliases }) => headerAliases[0] ?? name);

const cut = plainLines();
const twice = csv();
const [once, conflicting] = [fresh(), fresh()];
const price = COLUMNS.indexOf("price");

/** In this order, one after the other. */
export const BAD_FILES: readonly BadFile[] = [
  { name: "good.csv", bytes: csv(), loaded: ROWS },

  { name: "empty.csv", bytes: "", fails: "empty_file" },
  { name: "only a byte order mark.csv", bytes: "\ufeff", fails: "empty_file" },
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
  { name: "UTF-16.csv", bytes: Buffer.from(`\ufeff${csv()}`, "utf16le"), loaded: ROWS },
  { name: "compressed.csv.gz", bytes: gzipSync(csv()), loaded: ROWS },
  { name: "compressed.csv.zst", bytes: zstdCompressSync(csv()), loaded: ROWS },
  {
    name: "cut.csv.gz",
    bytes: gzipSync(csv()).subarray(0, -20),
    fails: "broken_compression",
  },
  { name: "not compressed.csv.gz", bytes: csv(), fails: "broken_compression" },

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

  { name: "good at the end.csv", bytes: csv(), loaded: ROWS },
];
