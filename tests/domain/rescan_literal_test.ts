import { deepEqual, equal, ok } from "node:assert/strict";
import fc from "fast-check";
import { rescanLiteral } from "../../domain/rescan_literal.ts";
import { type CsvFault, scanCsv } from "../../domain/scan_csv.ts";
import { smallLimits, soup } from "./_csv_soup.ts";

const DIALECT = { delimiter: ",", bomBytes: 0 } as const;

interface Case {
  name: string;
  record: string;
  pieces: [line: number, raw: string, read: string[] | CsvFault][];
}

const CASES: Case[] = [
  { name: "has no other reading of a single line", record: 'a,"b",c', pieces: [] },
  { name: "has no other reading when no quote spans lines", record: "", pieces: [] },
  {
    name: "frees the records that a stray quote swallowed",
    record: '1,"5 inch,9\r\n2,Desk,7\r3,Lamp",5',
    pieces: [
      [7, '1,"5 inch,9', ["1", '"5 inch', "9"]],
      [8, "2,Desk,7", ["2", "Desk", "7"]],
      [9, '3,Lamp",5', ["3", 'Lamp"', "5"]],
    ],
  },
  {
    name: "keeps the quoted fields before and behind the stray quote",
    record: '"a,""1""","b,"",é\nc",d',
    pieces: [
      [7, '"a,""1""","b,"",é', ['a,"1"', '"b', "", "é"]],
      [8, 'c",d', ['c"', "d"]],
    ],
  },
  {
    name: "takes every quote of the field literally",
    record: '1,"""a""b,c\n2"',
    pieces: [[7, '1,"""a""b,c', ["1", '"""a""b', "c"]], [8, '2"', ['2"']]],
  },
  {
    name: "takes the first of several spanning quotes",
    record: '1,"a\n2","b\n3"',
    pieces: [[7, '1,"a', ["1", '"a']], [8, '2","b\n3"', ['2"', "b\n3"]]],
  },
  {
    name: "gives up the first line when its other quotes are broken",
    record: '1,"a,"" b\n2"',
    pieces: [[7, '1,"a,"" b', "broken_quote"], [8, '2"', ['2"']]],
  },
  {
    name: "finds the end of the record, not that of the file",
    record: '1,"a\n2,b\n3,"',
    pieces: [[7, '1,"a', ["1", '"a']], [8, "2,b", ["2", "b"]], [9, '3,"', "broken_quote"]],
  },
  {
    name: "leaves a NUL to the piece that holds it",
    record: '1,"a\0\n2"',
    pieces: [[7, '1,"a\0', "nul_byte"], [8, '2"', ['2"']]],
  },
  {
    name: "skips blank lines",
    record: '"a\n\nb"',
    pieces: [[7, '"a', ['"a']], [9, 'b"', ['b"']]],
  },
];

for (const { name, record, pieces } of CASES) {
  Deno.test({
    name: `rescanLiteral() ${name}`,
    permissions: "none",
    fn() {
      const bytes = new TextEncoder().encode(record);
      const read = rescanLiteral(bytes, { dialect: DIALECT, firstLine: 7, byteStart: 1000 });
      const summary = read.map(({ line, byteStart, byteEnd, fields, fault }) => {
        const raw = bytes.subarray(byteStart - 1000, byteEnd - 1000);
        return [line, new TextDecoder().decode(raw), fault ?? fields];
      });
      deepEqual(summary, pieces);
    },
  });
}

Deno.test({
  name: "rescanLiteral() keeps to the limits of the record",
  permissions: "none",
  fn() {
    const record = new TextEncoder().encode('"""a""b\n1,2,3"');
    const limits = { maxRecordBytes: record.length - 5, maxColumns: 2 };
    const [first, second] = rescanLiteral(record, { dialect: DIALECT, limits });
    deepEqual(first?.fields, ['"""a""b']);
    equal(second?.fault, "too_many_columns");
  },
});

Deno.test({
  name: "rescanLiteral() accounts for every byte of a record over several lines, and no other",
  permissions: "none",
  fn() {
    let spanning = 0;
    fc.assert(
      fc.property(soup, smallLimits, (bytes, limits) => {
        for (const record of scanCsv(bytes, { dialect: DIALECT, limits })) {
          const { line, byteStart, byteEnd, fault } = record;
          const raw = bytes.subarray(byteStart, byteEnd);
          const options = { dialect: DIALECT, limits, firstLine: line, byteStart };
          const pieces = rescanLiteral(raw, options);
          const hasLineEnd = raw.some((byte) => byte === 10 || byte === 13);
          equal(pieces.length > 0, hasLineEnd);
          if (fault === undefined && hasLineEnd) spanning++;
          const ends = [...pieces.map((piece) => piece.byteStart).slice(1), byteEnd];
          for (const [i, piece] of pieces.entries()) {
            if (i === 0) deepEqual([piece.line, piece.byteStart], [line, byteStart]);
            const gap = bytes.subarray(piece.byteEnd, ends[i]!);
            ok(piece.byteEnd > piece.byteStart);
            ok(gap.every((byte) => byte === 10 || byte === 13));
          }
        }
      }),
      { numRuns: 3000 },
    );
    ok(spanning > 100, `only ${spanning} records spanned lines`);
  },
});
