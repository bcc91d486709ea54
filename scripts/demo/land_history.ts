import { landFile } from "../../activities/land_file.ts";
import { createCatalog } from "../../domain/generator/create_catalog.ts";
import { EventStream } from "../../domain/generator/event_stream.ts";
import { parseFileName } from "../../domain/generator/file_name.ts";
import { type HistoryFile, historyFiles } from "../../domain/generator/history_files.ts";
import { REES46 } from "../../domain/generator/rees46.ts";
import { EVENT_HEADER, writeEvents } from "../../domain/generator/write_events.ts";

const WEEKS = 8;
/** Events are made in slices of a file, so that worker and watcher get their turn in between. */
const SLICES = 16;

/** How many files the past is spread over. */
export const HISTORY_FILES = 20;

/**
 * The names of the history up to a moment; they do not depend on its events.
 *
 * @param endAt epoch milliseconds
 */
export function historyNames(endAt: number): string[] {
  return historyFiles({ endAt, weeks: WEEKS, events: 1, files: HISTORY_FILES })
    .map(({ name }) => name);
}

/** Whether the names are those of a whole history and more, of whatever moment. */
export function holdsHistory(names: ReadonlySet<string>): boolean {
  for (const name of names) {
    const { sequence, feedTime } = parseFileName(name) ?? {};
    if (sequence !== HISTORY_FILES - 1 || feedTime === undefined) continue;
    if (historyNames(feedTime).every((other) => names.has(other))) return true;
  }
  return false;
}

/**
 * Lands eight weeks of a shop's past, up to a moment, through the inbox like any other file.
 *
 * @param options.events wished for; traffic has its ups and downs, so there will be some percent more or less
 * @param options.onLanded gets the number of events of each file
 */
export async function landHistory(
  { inbox, seed, events, endAt, signal, onLanded }: {
    inbox: string;
    seed: number;
    events: number;
    /** Epoch milliseconds. */
    endAt: number;
    signal: AbortSignal;
    onLanded: (events: number) => void;
  },
): Promise<void> {
  const files = historyFiles({ endAt, weeks: WEEKS, events, files: HISTORY_FILES });
  const [first] = files;
  if (first === undefined) return;
  const shop = { seed, profile: REES46, catalog: createCatalog(seed, REES46) };
  const stream = new EventStream(shop, first.rates, first.from);
  for (const file of files) {
    let written = 0;
    const chunks = writeFile(stream, file, (rows) => written += rows);
    const { landed } = await landFile(inbox, file.name, chunks, { signal });
    if (!landed) throw new Error(`Cannot land ${file.name}: a file of this name lies in the inbox`);
    onLanded(written);
  }
}

async function* writeFile(
  stream: EventStream,
  { from, to, rates }: HistoryFile,
  onRows: (rows: number) => void,
): AsyncGenerator<Uint8Array> {
  const encoder = new TextEncoder();
  yield encoder.encode(EVENT_HEADER);
  for (let slice = 1; slice <= SLICES; slice++) {
    const rows = stream.read(rates, from + Math.floor((to - from) * slice / SLICES));
    onRows(rows.length);
    if (rows.length > 0) yield encoder.encode(writeEvents(rows));
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
}
