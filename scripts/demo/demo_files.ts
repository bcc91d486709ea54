import type { Sql } from "../../activities/database.ts";
import { parseFileName } from "../../domain/generator/file_name.ts";
import {
  demoFileNames,
  type DemoProgress,
  demoProgress,
  type DemoScope,
  newestFile,
} from "../statements/demo_progress.ts";

/** So many names are told. */
const NAMES_TOLD = 5;

/** The files that a demo has landed: their names and counts as they were written, and as the ledger has them. */
export class DemoFiles {
  readonly #sql: Sql;
  readonly #base: Pick<DemoScope, "inboxId" | "after" | "before">;
  #history: readonly string[] = [];
  #live: DemoScope["live"];
  #landed = { files: 0, events: 0 };

  constructor(sql: Sql, base: Pick<DemoScope, "inboxId" | "after" | "before">) {
    this.#sql = sql;
    this.#base = base;
  }

  /** Begins with what comes from now on; no generator may run. */
  static async begin(
    sql: Sql,
    { inbox, inboxId }: { inbox: string; inboxId: string },
  ): Promise<DemoFiles> {
    const before: string[] = [];
    for await (const { name } of Deno.readDir(inbox)) {
      if (parseFileName(name) !== undefined) before.push(name);
    }
    return new DemoFiles(sql, { inboxId, before, after: await newestFile(sql) });
  }

  /** Landed so far; the live ones are known at the end. */
  get landed(): { readonly files: number; readonly events: number } {
    return this.#landed;
  }

  /** The names that the history will have. */
  expectHistory(names: readonly string[]): void {
    this.#history = names;
  }

  /** Counts the next file of the history. */
  addHistory(events: number): void {
    this.#add(1, events);
  }

  /**
   * The names that a generator will give from now on, which sort by its feed time.
   *
   * @param from its start, epoch milliseconds, in a second in which nothing else was generated
   */
  expectLive(from: number): void {
    const time = new Date(from).toISOString().slice(0, 19).replaceAll(/[-:]/g, "");
    this.#live = { from: `${time}Z`, last: null };
  }

  /** Counts what the generator has landed in all. */
  addLive({ files, events }: { files: number; events: number }): void {
    if (this.#live) this.#live = { ...this.#live, last: files };
    this.#add(files, events);
  }

  /** What became of them. */
  progress(): Promise<DemoProgress> {
    return demoProgress(this.#sql, this.#scope());
  }

  /** Names those that are missing, not settled or too many, for people. */
  async describeMissing(): Promise<string> {
    const known = new Map<string, boolean>();
    const live = new Map<number, string[]>();
    for (const { name, settled } of await demoFileNames(this.#sql, this.#scope())) {
      known.set(name, settled);
      if (this.#history.includes(name)) continue;
      const sequence = parseFileName(name)?.sequence ?? 0;
      live.set(sequence, [...live.get(sequence) ?? [], name]);
    }
    const missing = this.#history.filter((name) => !known.has(name));
    for (let sequence = 1; sequence <= (this.#live?.last ?? 0); sequence++) {
      if (!live.has(sequence)) missing.push(`file ${sequence} of the generator`);
    }
    const unsettled = [...known].filter(([, settled]) => !settled).map(([name]) => name);
    const parts = [
      ...missing.length > 0 ? [`not in the ledger: ${listed(missing)}`] : [],
      ...unsettled.length > 0 ? [`not settled: ${listed(unsettled)}`] : [],
      ...[...live].filter(([, names]) => names.length > 1).map(([sequence, names]) =>
        `more than one file ${sequence}: ${listed(names)}`
      ),
    ];
    return parts.join("; ");
  }

  #add(files: number, events: number): void {
    const { files: before, events: eventsBefore } = this.#landed;
    this.#landed = { files: before + files, events: eventsBefore + events };
  }

  #scope(): DemoScope {
    return { ...this.#base, history: this.#history, live: this.#live };
  }
}

function listed(names: readonly string[]): string {
  const more = names.length - NAMES_TOLD;
  return names.slice(0, NAMES_TOLD).join(", ") + (more > 0 ? ` and ${more} more` : "");
}
