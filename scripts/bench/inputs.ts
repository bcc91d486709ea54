import { join } from "node:path";
import { DEFAULT_FROM, generateBulk } from "../generate_bulk.ts";

/** How a file differs from the one that the generator writes. */
export type Variant = "v7" | "v4";

/** Of a large file: one that loads before it, and does not count. */
export const WARM_UP_SHARE = 0.1;

/** Files of events, made once and kept for all benches of a run. */
export interface Inputs {
  /**
   * Files of generated events in the order of time.
   *
   * @param options.rows In all.
   * @param options.ids `v7` as generated, `v4` random ones.
   * @param options.from Time of the first event, epoch milliseconds; {@linkcode DEFAULT_FROM} by default.
   */
  events(
    options: { rows: number; files?: number; ids?: Variant; from?: number },
  ): Promise<string[]>;
  /** The file compressed. */
  gzip(path: string): Promise<string>;
  /** A file of which a share of the records is rejected for its id. */
  withRejects(path: string, share: number): Promise<string>;
  /** A file of which a share of the records is in the other one, too; of all of them, it lacks the last line's end. */
  withDuplicates(path: string, share: number): Promise<string>;
  /** Files of so many rows each, from generated events, in the order of time; `from` as for those. */
  small(options: { files: number; rows: number; from?: number }): Promise<string[]>;
  /** One file of several copies of another, each with other ids. */
  repeated(path: string, copies: number): Promise<string>;
}

/** @param directory Where they lie; removed by whoever made it. */
export function openInputs(directory: string): Inputs {
  const made = new Map<string, Promise<string[]>>();
  /** Others that ask for the same wait for it. */
  const once = (key: string, make: (target: string) => Promise<string[]>) => {
    const known = made.get(key) ?? (async () => {
      const target = join(directory, key);
      await Deno.mkdir(target, { recursive: true });
      return await make(target);
    })();
    made.set(key, known);
    return known;
  };
  const one = async (key: string, make: (path: string) => Promise<void>) => {
    const [path] = await once(key, async (target) => {
      await make(join(target, `${key}.csv`));
      return [join(target, `${key}.csv`)];
    });
    return path!;
  };

  const inputs: Inputs = {
    async events({ rows, files = 1, ids = "v7", from = DEFAULT_FROM }) {
      const size = `${rows}-${files}-${from}`;
      if (ids === "v7") {
        return await once(`events-${size}`, async (target) => {
          const directory = join(target, "out");
          return (await generateBulk({ directory, rows, files, from })).paths;
        });
      }
      const sources = await inputs.events({ rows, files, from });
      const key = `${ids}-${size}`;
      return await once(key, async (target) => {
        const paths: string[] = [];
        for (const [index, source] of sources.entries()) {
          const bytes = await Deno.readFile(source);
          replaceIds(bytes, ids);
          paths.push(join(target, `${key}-${index}.csv`));
          await Deno.writeFile(paths.at(-1)!, bytes);
        }
        return paths;
      });
    },
    async gzip(path) {
      const key = `gzip-${path.replaceAll(/\W/g, "-").slice(-60)}`;
      const [made] = await once(key, async (target) => {
        const zipped = join(target, "events.csv.gz");
        const source = await Deno.open(path);
        const sink = await Deno.create(zipped);
        await source.readable.pipeThrough(new CompressionStream("gzip")).pipeTo(sink.writable);
        return [zipped];
      });
      return made!;
    },
    withRejects(path, share) {
      return one(`rejects-${share}`, async (target) => {
        const bytes = await Deno.readFile(path);
        const isChosen = chooseShare(share);
        for (const at of idsOf(bytes)) if (isChosen()) bytes[at] = NO_DIGIT;
        await Deno.writeFile(target, bytes);
      });
    },
    withDuplicates(path, share) {
      return one(`duplicates-${share}`, async (target) => {
        const bytes = await Deno.readFile(path);
        const isChosen = chooseShare(1 - share);
        replaceIds(bytes, "again", isChosen);
        // The same bytes would be the same file, of which nothing is read twice.
        await Deno.writeFile(target, share === 1 ? bytes.subarray(0, -1) : bytes);
      });
    },
    async small({ files, rows, from = DEFAULT_FROM }) {
      const [source] = await inputs.events({ rows: files * rows, from });
      return await once(`small-${files}-${rows}-${from}`, async (target) => {
        const [header, ...lines] = (await Deno.readTextFile(source!)).trimEnd().split("\n");
        const paths: string[] = [];
        for (let file = 0; file < files; file++) {
          const own = lines.slice(file * rows, (file + 1) * rows);
          paths.push(join(target, `small-${String(file).padStart(6, "0")}.csv`));
          await Deno.writeTextFile(paths.at(-1)!, `${header}\n${own.join("\n")}\n`);
        }
        return paths;
      });
    },
    repeated(path, copies) {
      return one(`repeated-${copies}`, async (target) => {
        const bytes = await Deno.readFile(path);
        const headerEnd = bytes.indexOf(NEWLINE) + 1;
        using sink = await Deno.create(target);
        for (let copy = 0; copy < copies; copy++) {
          replaceIds(bytes, "again");
          await writeAll(sink, copy === 0 ? bytes : bytes.subarray(headerEnd));
        }
      });
    },
  };
  return inputs;
}

const NEWLINE = 0x0a;
const HYPHEN = 0x2d;
const NO_DIGIT = 0x78;
const ID_LENGTH = 36;
const HEX = new TextEncoder().encode("0123456789abcdef");
/** Most that one call gives. */
const RANDOM_BYTES = 65_536;

/** Offsets of the first cell of each line. */
function* idsOf(bytes: Uint8Array): Generator<number> {
  for (let at = bytes.indexOf(NEWLINE) + 1; at > 0 && at < bytes.length;) {
    if (bytes[at + 8] !== HYPHEN || bytes[at + 23] !== HYPHEN) {
      throw new Error(`Cannot change the id at byte ${at}: there is none`);
    }
    yield at;
    at = bytes.indexOf(NEWLINE, at) + 1;
  }
}

/** Gives ids other digits; `again` keeps what makes a UUIDv7 sort by time. */
function replaceIds(
  bytes: Uint8Array,
  ids: "v4" | "again",
  isChosen: () => boolean = () => true,
): void {
  const digit = randomDigits();
  for (const at of idsOf(bytes)) {
    if (!isChosen()) continue;
    for (let index = ids === "v4" ? 0 : 24; index < ID_LENGTH; index++) {
      if (bytes[at + index] !== HYPHEN) bytes[at + index] = digit();
    }
    if (ids === "v4") {
      bytes[at + 14] = HEX[4]!;
      bytes[at + 19] = HEX[8]!;
    }
  }
}

/** True for that share of the calls, spread evenly. */
function chooseShare(share: number): () => boolean {
  let calls = 0;
  return () => Math.floor(++calls * share) > Math.floor((calls - 1) * share);
}

function randomDigits(): () => number {
  const random = new Uint8Array(RANDOM_BYTES);
  let position = RANDOM_BYTES;
  return () => {
    if (position === RANDOM_BYTES) {
      crypto.getRandomValues(random);
      position = 0;
    }
    return HEX[random[position++]! & 15]!;
  };
}

async function writeAll(sink: Deno.FsFile, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await sink.write(bytes.subarray(at));
}
