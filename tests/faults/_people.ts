import { openDatabase, type Sql } from "../../activities/database.ts";
import type { Prng } from "../../domain/generator/prng.ts";
import type { Running } from "../../scripts/cli/with_running.ts";
import { type Config, readConfig } from "../../scripts/config.ts";
import { cancelFile } from "../../scripts/files/cancel_file.ts";
import { retryFile } from "../../scripts/files/retry_file.ts";
import { steerFile } from "../../scripts/files/steer_file.ts";
import { unloadFile } from "../../scripts/files/unload_file.ts";
import { replayFile } from "../../scripts/rejects/replay_file.ts";
import { correctReject, waiveRejects } from "../../scripts/statements/rejects.ts";
import { waitFor } from "../harness.ts";
import type { FaultPipeline } from "./_fault_pipeline.ts";
import type { PlantedFile, PlantedFiles, PlantedReject } from "./_planted_files.ts";

/** Files that a person does something with in one go, at most. */
const MOST_AT_ONCE = 3;
const LOOK_EVERY_MS = 200;

/** People who run commands on files while things break; what they paused or took out they load in the end. */
export class People implements AsyncDisposable {
  readonly #running: Running;
  /** Of who may correct and waive. */
  readonly #operator: Sql;
  readonly #config: Config = readConfig({ CLICKLEDGER_HEARTBEAT_TIMEOUT_MS: "1500" });
  readonly #planted: Map<string, PlantedFile>;
  /** Commands that have not ended, and what they are. */
  readonly #commands = new Map<Promise<void>, string>();

  constructor({ client, databaseUrl, inbox, inboxId }: FaultPipeline, { files }: PlantedFiles) {
    const sql = openDatabase(databaseUrl, "ingest", { max: MOST_AT_ONCE });
    this.#running = { client, sql, inbox, inboxId };
    this.#operator = openDatabase(databaseUrl, "operator", { max: MOST_AT_ONCE });
    this.#planted = new Map(files.map((file) => [file.name, file]));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.#running.sql, this.#operator].map((sql) => sql.end({ timeout: 1 })));
  }

  unload(prng: Prng): Promise<void> {
    return this.#doWith("state = 'loaded'", {
      prng,
      command: (file) => unloadFile(this.#running, file, this.#config),
    });
  }

  replay(prng: Prng): Promise<void> {
    return this.#doWith("state = 'loaded'", {
      prng,
      command: (file) => replayFile(this.#running, this.#config, { fileId: Number(file) }),
    });
  }

  /** Stores for one reject of a file what was meant, and replays it. */
  correct(prng: Prng): Promise<void> {
    return this.#doWith("state = 'loaded'", {
      prng,
      command: async (file) => {
        const [rejectId, reject] = await this.#pickReject(file, prng) ?? [];
        if (rejectId === undefined || reject === undefined) return;
        const text = new TextEncoder().encode(reject.meant);
        if (!await correctReject(this.#operator, rejectId, text)) return;
        reject.isCorrected = true;
        await replayFile(this.#running, this.#config, { fileId: Number(file), rejectId });
      },
    });
  }

  waive(prng: Prng): Promise<void> {
    return this.#doWith("state = 'loaded'", {
      prng,
      command: async (file) => {
        const [rejectId] = await this.#pickReject(file, prng) ?? [];
        if (rejectId !== undefined) await waiveRejects(this.#operator, [rejectId], "by a test");
      },
    });
  }

  cancel(prng: Prng): Promise<void> {
    return this.#doWith("state = 'loading'", {
      prng,
      command: (file) => cancelFile(this.#running, file),
    });
  }

  pause(prng: Prng): Promise<void> {
    return this.#doWith("state = 'loading'", {
      prng,
      command: (file) => steerFile(this.#running, "pause", file),
    });
  }

  /** Commands that have not ended. */
  pending(): string[] {
    return [...this.#commands.values()];
  }

  /** Lets go on what is paused, and loads again what was taken out and by nothing else, until all is quiet. */
  async mend(isQuiet: () => Promise<boolean>): Promise<void> {
    for (;;) {
      if (this.#commands.size === 0) {
        await this.#doWith("paused_at is not null", {
          command: (file) => steerFile(this.#running, "resume", file),
        });
        await this.#doWith(
          // Of what was read too early the bytes are a part of a newer version's, and nowhere else.
          `state in ('unloaded', 'cancelled') and settled_at is not null
           and error_code is distinct from 'replaced'
           and not exists (select from ingest.files r where r.retry_of = f.file_id)`,
          { command: (file) => retryFile(this.#running, file, this.#config) },
        );
      }
      if (this.#commands.size === 0 && await isQuiet()) return;
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    }
  }

  /** One that is open, if there is one, with what was planted there. */
  async #pickReject(file: string, prng: Prng): Promise<[number, PlantedReject] | undefined> {
    const rows = await this.#running.sql<{ id: number; name: string; line: number }[]>`
      select r.reject_id as id, f.file_name as name, r.line_number as line
      from ingest.rejects r join ingest.files f using (file_id)
      where r.file_id = ${file} and r.state = 'open'
      order by r.line_number`;
    const row = rows[prng.below(Math.max(1, rows.length))];
    const reject = row &&
      this.#planted.get(row.name)?.rejects.find(({ line }) => line === row.line);
    return row && reject && [row.id, reject];
  }

  /** Begins a command for some of such files, or for all; most may be refused, as files go on meanwhile. */
  async #doWith(
    which: string,
    { prng, command }: { prng?: Prng; command: (file: string) => Promise<unknown> },
  ): Promise<void> {
    const files = await this.#list(which);
    const count = prng ? Math.min(files.length, 1 + prng.below(MOST_AT_ONCE)) : files.length;
    for (let left = count; left > 0; left--) {
      const [file] = files.splice(prng?.below(files.length) ?? 0, 1);
      // Whatever comes of it.
      const ended: Promise<void> = command(file!)
        .then(() => {}, () => {})
        .finally(() => this.#commands.delete(ended));
      this.#commands.set(ended, `${command} ${file}`);
    }
  }

  /** Its connection may have been among those that were just ended. */
  async #list(which: string): Promise<string[]> {
    const rows = await waitFor(
      () =>
        this.#running.sql.unsafe<{ id: string }[]>(
          `select file_id::text as id from ingest.files f where ${which} order by file_id`,
        ).catch(() => null),
      { what: "PostgreSQL to list files" },
    );
    return rows.map(({ id }) => id);
  }
}
