import { Buffer } from "node:buffer";
import { SHOP_EVENTS } from "../shop_events.ts";
import type { EventRow } from "./event_stream.ts";
import type { PlantedFault } from "./fault_kinds.ts";
import type { PlantedRecord } from "./fault_planter.ts";
import { type HeaderDrift, NO_DRIFT } from "./header_drift.ts";
import { writeEvents } from "./write_events.ts";

/** The text of one file with planted faults, written piece by piece, and the truth about it. */
export class FaultyText {
  /** In the order of the file. */
  readonly truth: PlantedFault[] = [];
  private line = 1;

  /**
   * @param file Name under which it lands.
   * @param drift How its header differs from the contract's.
   */
  constructor(private readonly file: string, private readonly drift: HeaderDrift = NO_DRIFT) {}

  /** The first record, with its line end. */
  header(): Buffer {
    this.line++;
    return Buffer.from(writeEvents([[...this.drift.header]]));
  }

  /** Some records, each with its line end. */
  write(records: readonly PlantedRecord[]): Buffer {
    const pieces: Buffer[] = [];
    let sound: EventRow[] = [];
    const writeSound = () => {
      if (sound.length > 0) pieces.push(this.count(Buffer.from(writeEvents(sound))));
      sound = [];
    };
    for (const { eventId, row, fault } of records) {
      const cells = this.drift.lay(row);
      if (fault === undefined) {
        sound.push(cells);
        continue;
      }
      writeSound();
      this.truth.push({ file: this.file, line: this.line, ...fault, eventId });
      pieces.push(this.count(writeFaulty(cells, row, fault.kind)));
    }
    writeSound();
    return Buffer.concat(pieces);
  }

  private count(bytes: Buffer): Buffer {
    for (let at = bytes.indexOf(LF); at >= 0; at = bytes.indexOf(LF, at + 1)) this.line++;
    return bytes;
  }
}

const LF = 10;
const QUOTE = Buffer.from('"');
const DEVICE = SHOP_EVENTS.columns.findIndex(({ name }) => name === "device");

function writeFaulty(cells: EventRow, row: EventRow, kind: PlantedFault["kind"]): Buffer {
  switch (kind) {
    case "missing_column":
      return Buffer.from(writeEvents([cells.slice(0, -1)]));
    case "extra_column":
      return Buffer.from(writeEvents([[...cells, "extra"]]));
    case "broken_quote": {
      const bytes = Buffer.from(writeEvents([cells]));
      // Behind all cells that may be quoted themselves.
      const at = bytes.lastIndexOf(`,${row[DEVICE]},`) + 1;
      return Buffer.concat([bytes.subarray(0, at), QUOTE, bytes.subarray(at)]);
    }
    case "invalid_utf8":
      return Buffer.from(writeEvents([cells]), "latin1");
    default:
      return Buffer.from(writeEvents([cells]));
  }
}
