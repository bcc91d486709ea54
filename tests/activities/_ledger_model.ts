/** One record of a small file: which event, with which content, or broken. */
export interface ModelRecord {
  event: number;
  /** Other prices make other content. */
  price: number;
  broken: boolean;
}

/** What became of a record. */
export type Outcome = "loaded" | "duplicate" | "rejected";

/** A file as the ledger shall have it. */
export interface ModelFile {
  fileId: number;
  records: readonly ModelRecord[];
  state: "loaded" | "duplicate" | "cancelled" | "unloaded";
  /** By record; empty unless loaded. */
  outcomes: Outcome[];
  duplicateOf: number | null;
}

/** A row of shop.events, as far as the model knows it. */
export interface ModelEvent {
  event: number;
  price: number;
  fileId: number;
  line: number;
}

/** The rules of the ledger without a database: one file after the other, in plain memory. */
export class LedgerModel {
  readonly files: ModelFile[] = [];
  readonly events = new Map<number, ModelEvent>();

  /** A file landed and was ingested. */
  land(fileId: number, records: readonly ModelRecord[]): void {
    const original = this.files.find((file) => file.state === "loaded" && isSame(file, records));
    const file: ModelFile = {
      fileId,
      records,
      state: original ? "duplicate" : "loaded",
      outcomes: [],
      duplicateOf: original?.fileId ?? null,
    };
    this.files.push(file);
    if (!original) this.#load(file);
  }

  /** A loaded file was taken out again. */
  unload(fileId: number): void {
    const file = this.#file(fileId);
    file.state = "unloaded";
    file.outcomes = [];
    for (const event of [...this.events.values()]) {
      if (event.fileId !== fileId) continue;
      const heir = this.#heir(event.event);
      if (heir === undefined) {
        this.events.delete(event.event);
        continue;
      }
      heir.file.outcomes[heir.record] = "loaded";
      event.fileId = heir.file.fileId;
      event.line = lineOf(heir.record);
    }
    this.#replayUncontradicted();
  }

  /** Rejects of a loaded file were replayed: what contradicted an event that is gone now holds. */
  replay(fileId: number): void {
    this.#replay(fileId, () => true);
  }

  #replay(fileId: number, isMeant: (event: number) => boolean): void {
    const file = this.#file(fileId);
    file.records.forEach(({ event, price, broken }, record) => {
      if (file.outcomes[record] !== "rejected" || broken || !isMeant(event)) return;
      const known = this.events.get(event);
      if (known === undefined) {
        this.events.set(event, { event, price, fileId, line: lineOf(record) });
        file.outcomes[record] = "loaded";
      } else if (known.price === price) file.outcomes[record] = "duplicate";
    });
  }

  /** A file was cancelled after some of its chunks; copies of it had landed before. The oldest is loaded instead. */
  cancel(fileId: number, records: readonly ModelRecord[], copies: readonly number[]): void {
    this.files.push({ fileId, records, state: "cancelled", outcomes: [], duplicateOf: null });
    const [oldest, ...others] = copies;
    if (oldest === undefined) return;
    const heir: ModelFile = {
      fileId: oldest,
      records,
      state: "loaded",
      outcomes: [],
      duplicateOf: null,
    };
    this.files.push(heir);
    this.#load(heir);
    for (const copy of others) {
      this.files.push({
        fileId: copy,
        records,
        state: "duplicate",
        outcomes: [],
        duplicateOf: oldest,
      });
    }
  }

  /** Rows of shop.events, by event. */
  rows(): ModelEvent[] {
    return [...this.events.values()].toSorted((a, b) => a.event - b.event);
  }

  #load(file: ModelFile): void {
    for (const [index, record] of file.records.entries()) {
      const known = this.events.get(record.event);
      if (record.broken || (known && known.price !== record.price)) {
        file.outcomes.push("rejected");
      } else if (known) file.outcomes.push("duplicate");
      else {
        file.outcomes.push("loaded");
        const { event, price } = record;
        this.events.set(event, { event, price, fileId: file.fileId, line: lineOf(index) });
      }
    }
  }

  /** Records in conflict that nothing contradicts any more are replayed, of the newest file first. */
  #replayUncontradicted(): void {
    for (
      const { fileId, records, outcomes } of this.files.toSorted((a, b) => b.fileId - a.fileId)
    ) {
      const due = new Set(
        records.filter(({ event, price, broken }, record) =>
          outcomes[record] === "rejected" && !broken &&
          (this.events.get(event)?.price ?? price) === price
        ).map(({ event }) => event),
      );
      if (due.size > 0) this.#replay(fileId, (event) => due.has(event));
    }
  }

  /** The oldest copy of an event that was left aside as a duplicate. */
  #heir(event: number): { file: ModelFile; record: number } | undefined {
    for (const file of this.files.toSorted((a, b) => a.fileId - b.fileId)) {
      const record = file.records.findIndex((record, index) =>
        record.event === event && file.outcomes[index] === "duplicate"
      );
      if (record >= 0) return { file, record };
    }
    return undefined;
  }

  #file(fileId: number): ModelFile {
    const file = this.files.find((file) => file.fileId === fileId);
    if (file === undefined) throw new Error(`Cannot find file ${fileId} in the model`);
    return file;
  }
}

/** The header is line 1, and no record spans lines. */
function lineOf(record: number): number {
  return record + 2;
}

function isSame(file: ModelFile, records: readonly ModelRecord[]): boolean {
  return JSON.stringify(file.records) === JSON.stringify(records);
}
