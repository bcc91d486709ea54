/** One record of a small file: which event, with which content, or broken. */
export interface ModelRecord {
  event: number;
  /** Other prices make other content. */
  price: number;
  broken: boolean;
}

/** What became of a record: a reject is named by its fault; null while nothing has. */
export type Outcome = "loaded" | "duplicate" | Fault | null;

/** Why a record is in quarantine. */
type Fault = "invalid_number" | "before_horizon" | "conflicting_event";

/** Whether a record is in quarantine. */
export function isReject(outcome: Outcome): outcome is Fault {
  return outcome !== null && outcome !== "loaded" && outcome !== "duplicate";
}

/** A file as the ledger shall have it. */
export interface ModelFile {
  fileId: number;
  name: string;
  records: readonly ModelRecord[];
  /** First record of each chunk. */
  chunks: readonly number[];
  state: "loading" | "loaded" | "duplicate" | "unloading" | "cancelled" | "unloaded";
  settled: boolean;
  /** By record. */
  outcomes: Outcome[];
  /** By record: what a person stored in place of a reject. */
  corrections: (ModelRecord | null)[];
  duplicateOf: number | null;
  supersedes: number | null;
  /** The file that was loaded once more as this one. */
  retryOf: number | null;
  /** The version that it was taken out for. */
  replacedBy: number | null;
}

/** A key: the event, and the record that it came from. */
export interface ModelEvent {
  event: number;
  price: number;
  fileId: number;
  line: number;
}

interface Pending {
  files: number[];
  due?: { fileId: number; indexes: number[] };
}

/** What one transaction does to the model; false when it cannot come at this moment. */
export type ModelStep = (model: LedgerModel) => boolean;

/** Month of an event, as a number from 0: the oldest can be dropped by retention. */
export function monthOf(event: number): number {
  return Math.min(2, event % 4);
}

/** The rules of the ledger without a database: one transaction after the other, in plain memory. */
export class LedgerModel {
  files: ModelFile[] = [];
  events = new Map<number, ModelEvent>();
  /** Months before are dropped. */
  horizon = 0;
  /** By who took records out: what is still to be replayed because of it. */
  pending: Record<string, Pending> = {};

  /** The same once more, to go another way from here. */
  clone(): LedgerModel {
    const copy = new LedgerModel();
    copy.files = this.files.map((file) => ({
      ...file,
      outcomes: [...file.outcomes],
      corrections: [...file.corrections],
    }));
    copy.events = new Map([...this.events].map(([event, row]) => [event, { ...row }]));
    copy.horizon = this.horizon;
    copy.pending = structuredClone(this.pending);
    return copy;
  }

  /** Equal text means equal models. */
  fingerprint(): string {
    const events = [...this.events.values()].toSorted((a, b) => a.event - b.event);
    const files = this.files.toSorted((a, b) => a.fileId - b.fileId);
    return JSON.stringify([this.horizon, events, files, this.pending]);
  }

  /** The bytes of a file are known: it is to be loaded, or those of another. It waits for one that is being unloaded. */
  plan(
    landed: Pick<ModelFile, "fileId" | "name" | "records" | "chunks">,
    retryOf: number | null = null,
  ): boolean {
    const { fileId, name, records } = landed;
    const others = this.files.filter((file) => file.fileId !== fileId);
    const original = others.find((file) =>
      ["loading", "loaded", "unloading"].includes(file.state) && isSame(file.records, records)
    );
    if (original?.state === "unloading") return false;
    const older = others.filter((file) =>
      file.name === name && file.fileId < fileId && file.fileId !== retryOf &&
      (file.state === "loaded" || file.state === "unloading")
    );
    const supersedes = older.length === 0 ? null : Math.max(...older.map((file) => file.fileId));
    this.files = [...others, {
      ...landed,
      chunks: original ? [] : landed.chunks,
      state: original ? "duplicate" : "loading",
      settled: false,
      outcomes: original ? [] : records.map(() => null),
      corrections: records.map(() => null),
      duplicateOf: original?.fileId ?? null,
      supersedes: original ? null : supersedes,
      retryOf,
      replacedBy: null,
    }];
    return true;
  }

  /** The chunk transaction. */
  loadChunk(fileId: number, chunk: number): boolean {
    const file = this.file(fileId);
    for (const index of recordsOf(file, chunk)) this.#take(file, index);
    return true;
  }

  /** All chunks are there. */
  complete(fileId: number): boolean {
    this.file(fileId).state = "loaded";
    return true;
  }

  /** The file is moved, and nothing remains to be done. */
  settle(fileId: number): boolean {
    this.file(fileId).settled = true;
    return true;
  }

  /** From now on no attempt to load the file can write. */
  startUnload(fileId: number): boolean {
    Object.assign(this.file(fileId), { state: "unloading", settled: false });
    return true;
  }

  /** Takes one chunk out; events that another file has too are handed over to its oldest copy. */
  unloadChunk(fileId: number, chunk: number): boolean {
    const file = this.file(fileId);
    for (const index of recordsOf(file, chunk)) {
      if (file.outcomes[index] === "loaded") this.#free(currentRecord(file, index).event);
      file.outcomes[index] = null;
      file.corrections[index] = null;
    }
    return true;
  }

  /** Nothing of the file is left. In place of a cancelled one, its oldest copy is loaded. */
  endUnload(fileId: number, state: "unloaded" | "cancelled"): boolean {
    Object.assign(this.file(fileId), { state, outcomes: [] });
    if (state === "unloaded") return true;
    const copies = this.files.filter((file) =>
      file.state === "duplicate" && file.duplicateOf === fileId
    ).toSorted((a, b) => a.fileId - b.fileId);
    for (const copy of copies) copy.duplicateOf = copies[0]!.fileId;
    if (copies[0]) {
      Object.assign(copies[0], { state: "loading", duplicateOf: null, settled: false });
    }
    return true;
  }

  /** A person stores what a reject should have been, if it is one still. */
  correct(
    { fileId, index, correction }: { fileId: number; index: number; correction: ModelRecord },
    { wasStored }: { wasStored: boolean },
  ): boolean {
    const file = this.file(fileId);
    if (isReject(file.outcomes[index] ?? null) !== wasStored) return false;
    if (wasStored) file.corrections[index] = correction;
    return true;
  }

  /** Open rejects were validated again: what contradicted an event that is gone, or is corrected, now holds. */
  replay(
    fileId: number,
    { wasRefused = false, code }: { wasRefused?: boolean; code?: Fault } = {},
  ): boolean {
    const file = this.file(fileId);
    const open = [...file.outcomes.keys()].filter((index) => {
      const outcome = file.outcomes[index]!;
      return isReject(outcome) && (code === undefined || outcome === code);
    });
    if (file.state !== "loaded") return wasRefused || open.length === 0;
    if (wasRefused) return false;
    for (const index of open) this.#take(file, index);
    return true;
  }

  /**
   * Which files have records in conflict that nothing contradicts any more: they are replayed, first the one that room was
   * made for, then the newest.
   */
  listUncontradicted(owner: string, madeRoomFor: number | null = null): boolean {
    const files = this.files.filter((file) =>
      file.state === "loaded" && this.#uncontradicted(file).length > 0
    );
    const rank = (fileId: number) => fileId === madeRoomFor ? Infinity : fileId;
    const ids = files.map(({ fileId }) => fileId).toSorted((a, b) => rank(b) - rank(a));
    this.pending[owner] = { files: ids };
    return true;
  }

  /** Which records of the next of these are due, or of one file. */
  readDue(owner: string, own?: number): boolean {
    const pending = this.pending[owner] ??= { files: own === undefined ? [] : [own] };
    const fileId = pending.files.shift();
    if (fileId === undefined) return true;
    const file = this.file(fileId);
    if (file.state === "loaded") pending.due = { fileId, indexes: this.#uncontradicted(file) };
    return true;
  }

  /** They are replayed, unless their file is being taken out by now. */
  replayDue(owner: string): boolean {
    const { due } = this.pending[owner]!;
    delete this.pending[owner]!.due;
    const file = due && this.file(due.fileId);
    if (file?.state !== "loaded") return true;
    for (const index of due!.indexes) if (isReject(file.outcomes[index]!)) this.#take(file, index);
    return true;
  }

  /** Nothing is due any more. */
  endReplay(owner: string): boolean {
    const { files } = this.pending[owner]!;
    delete this.pending[owner];
    return files.length === 0;
  }

  /** A newer version wins: the one before is taken out, and each older one that contradicts it. */
  replace(fileId: number): boolean {
    for (let older; (older = this.#versionInTheWay(fileId)) !== undefined;) {
      older.replacedBy = fileId;
      this.#unloadFor(older, fileId);
    }
    return true;
  }

  /** Whole months go, unless a file that is not settled has events in them. */
  retain(month: number, { wasRefused }: { wasRefused: boolean }): boolean {
    const unsettled = new Set(
      this.files.filter((file) => !file.settled).map((file) => file.fileId),
    );
    const isRefused = [...this.events.values()].some(({ event, fileId }) =>
      unsettled.has(fileId) && monthOf(event) < month
    );
    if (isRefused !== wasRefused) return false;
    if (!isRefused) this.horizon = Math.max(this.horizon, month);
    return true;
  }

  /** Keys, by event; those before the horizon have no row. */
  keys(): ModelEvent[] {
    return [...this.events.values()].toSorted((a, b) => a.event - b.event);
  }

  file(fileId: number): ModelFile {
    const file = this.files.find((file) => file.fileId === fileId);
    if (file === undefined) throw new Error(`Cannot find file ${fileId} in the model`);
    return file;
  }

  #take(file: ModelFile, index: number): void {
    const { event, price, broken } = currentRecord(file, index);
    const known = this.events.get(event);
    if (broken) file.outcomes[index] = "invalid_number";
    else if (monthOf(event) < this.horizon) file.outcomes[index] = "before_horizon";
    else if (known && known.price !== price) file.outcomes[index] = "conflicting_event";
    else if (known) file.outcomes[index] = "duplicate";
    else {
      file.outcomes[index] = "loaded";
      this.events.set(event, { event, price, fileId: file.fileId, line: lineOf(index) });
    }
  }

  /** The newest one of these. */
  #versionInTheWay(fileId: number): ModelFile | undefined {
    const file = this.file(fileId);
    const older = this.files.filter((other) =>
      other.name === file.name && other.fileId < fileId && other.state === "loaded"
    ).toSorted((a, b) => b.fileId - a.fileId);
    const others = older.filter((other) => other.fileId !== file.retryOf);
    const before = Math.max(file.supersedes ?? 0, ...others.map((other) => other.fileId));
    const isFirst = !this.files.some(({ replacedBy }) => replacedBy === fileId);
    const held = new Set([...file.outcomes.keys()].flatMap((index) => {
      if (file.outcomes[index] !== "conflicting_event") return [];
      return this.events.get(currentRecord(file, index).event)?.fileId ?? [];
    }));
    return older.find((other) => (isFirst && other.fileId === before) || held.has(other.fileId));
  }

  #unloadFor({ fileId, chunks }: ModelFile, newer: number): void {
    const owner = `replace/${fileId}`;
    this.startUnload(fileId);
    for (const chunk of chunks.keys()) this.unloadChunk(fileId, chunk);
    this.listUncontradicted(owner, newer);
    while (this.pending[owner]!.files.length > 0) {
      this.readDue(owner);
      this.replayDue(owner);
    }
    this.endReplay(owner);
    this.endUnload(fileId, "unloaded");
    this.settle(fileId);
  }

  #uncontradicted(file: ModelFile): number[] {
    return [...file.outcomes.keys()].filter((index) => {
      if (file.outcomes[index] !== "conflicting_event") return false;
      const { event, price } = currentRecord(file, index);
      return (this.events.get(event)?.price ?? price) === price;
    });
  }

  #free(event: number): void {
    const heir = this.#heir(event);
    if (heir === undefined) return void this.events.delete(event);
    heir.file.outcomes[heir.index] = "loaded";
    const { fileId } = heir.file;
    this.events.set(event, { ...this.events.get(event)!, fileId, line: lineOf(heir.index) });
  }

  /** The oldest copy of an event that was left aside as a duplicate. */
  #heir(event: number): { file: ModelFile; index: number } | undefined {
    for (const file of this.files.toSorted((a, b) => a.fileId - b.fileId)) {
      if (file.state !== "loading" && file.state !== "loaded") continue;
      const index = file.outcomes.findIndex((outcome, index) =>
        outcome === "duplicate" && currentRecord(file, index).event === event
      );
      if (index >= 0) return { file, index };
    }
    return undefined;
  }
}

/**
 * All that can come of two operations at once, each a row of transactions: every order of these that keeps both rows in
 * order. One operation alone has one order.
 *
 * @returns one model for each outcome; empty when no order is possible
 */
export function interleave(
  start: LedgerModel,
  one: readonly ModelStep[],
  other: readonly ModelStep[] = [],
): LedgerModel[] {
  let before: Map<string, LedgerModel>[] = [];
  for (let i = 0; i <= one.length; i++) {
    const now: Map<string, LedgerModel>[] = [];
    for (let j = 0; j <= other.length; j++) {
      const reached = new Map<string, LedgerModel>();
      if (i === 0 && j === 0) reached.set("", start);
      if (i > 0) advance(before[j]!, one[i - 1]!, reached);
      if (j > 0) advance(now[j - 1]!, other[j - 1]!, reached);
      now.push(reached);
    }
    before = now;
  }
  return [...before[other.length]!.values()];
}

function advance(
  from: ReadonlyMap<string, LedgerModel>,
  step: ModelStep,
  reached: Map<string, LedgerModel>,
): void {
  for (const model of from.values()) {
    const next = model.clone();
    if (step(next)) reached.set(next.fingerprint(), next);
  }
}

/** A record as it stands now: its correction, if it has one. */
function currentRecord(file: ModelFile, index: number): ModelRecord {
  return file.corrections[index] ?? file.records[index]!;
}

/** Positions of the records of a chunk. */
function recordsOf({ chunks, records }: ModelFile, chunk: number): number[] {
  const first = chunks[chunk]!;
  const end = chunks[chunk + 1] ?? records.length;
  return Array.from({ length: end - first }, (_, offset) => first + offset);
}

/** The header is line 1, and no record spans lines. */
export function lineOf(record: number): number {
  return record + 2;
}

function isSame(a: readonly ModelRecord[], b: readonly ModelRecord[]): boolean {
  return textOf(a) === textOf(b);
}

/** The price of a broken record is not written. */
function textOf(records: readonly ModelRecord[]): string {
  return records.map(({ event, price, broken }) => `${event}=${broken ? "" : price}`).join();
}
