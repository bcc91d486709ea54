import { deepEqual, equal } from "node:assert/strict";
import { mapHeader } from "../../../domain/map_header.ts";
import { planBytes } from "../../../domain/plan_chunks.ts";
import { readChunk } from "../../../domain/read_chunk.ts";
import { SHOP_EVENTS } from "../../../domain/shop_events.ts";
import { count } from "../../cli/numbers.ts";
import { alternate, compare } from "../alternate.ts";
import { parseAndValidate } from "../rivals/parse_and_validate.ts";
import type { TargetBench } from "../target.ts";

const RUNS = 5;
/** Of a large file: the rest would only take longer. */
const SHARE_OF_LARGE = 0.2;
const DIALECT = { delimiter: ",", bomBytes: 0 } as const;

/** All that is done to bytes before PostgreSQL sees them, in one thread. */
export const VALIDATE: TargetBench = {
  name: "validate",
  rows: [{
    what: "plan, scan and validate on one core, no database",
    rival: "csv-parse + zod",
    unit: "rows/s",
    target: { atLeast: 2, aim: 4 },
  }],
  async measure(stage, { records, runs = RUNS, onProgress }) {
    const rows = Math.ceil(records * SHARE_OF_LARGE);
    const [path] = await stage.inputs.events({ rows });
    const bytes = await Deno.readFile(path!);
    const header = SHOP_EVENTS.columns.map(({ name }) => name);
    const headerText = `${header.join(",")}\n`;
    equal(new TextDecoder().decode(bytes.subarray(0, headerText.length)), headerText);
    // The rival gets its bytes in the same pieces: all at once, its objects would fill the memory.
    const pieces = (await planBytes(bytes)).chunks.map(({ byteStart, byteEnd }) =>
      bytes.subarray(byteStart, byteEnd)
    );
    const rateOf = (validate: () => number | Promise<number>) => async () => {
      const startedAt = performance.now();
      equal(await validate(), rows);
      return rows / (performance.now() - startedAt) * 1000;
    };
    const rates = await alternate({
      ours: rateOf(() => planAndRead(bytes, header)),
      "csv-parse + zod": rateOf(() =>
        pieces.reduce((valid, piece) => valid + parseAndValidate(piece, header), 0)
      ),
    }, {
      runs,
      onRun: (name, run, rate) => onProgress(`${name}, run ${run}: ${count(rate)} rows/s`),
    });
    return [compare(rates.ours, rates["csv-parse + zod"])];
  },
};

async function planAndRead(bytes: Uint8Array, header: string[]): Promise<number> {
  const mapped = mapHeader(SHOP_EVENTS, header);
  if (!mapped.ok) throw new Error("Cannot measure: the contract's own header does not map");
  let accepted = 0;
  for (const { byteStart, byteEnd, firstLine } of (await planBytes(bytes)).chunks) {
    const batch = readChunk(bytes.subarray(byteStart, byteEnd), {
      contract: SHOP_EVENTS,
      dialect: DIALECT,
      mapping: mapped.mapping,
      discoveredAt: Date.now(),
      firstLine,
      byteStart,
    });
    deepEqual(batch.rejects, []);
    accepted += batch.accepted.lines.length;
  }
  return accepted;
}
