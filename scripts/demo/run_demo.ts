import type { Sql } from "../../activities/database.ts";
import { InterruptedError, TaskError } from "../cli/failures.ts";
import type { LiveView } from "../cli/live_view.ts";
import { count, countOf } from "../cli/numbers.ts";
import { sleep } from "../cli/sleep.ts";
import { openQueryPool } from "../cli/with_database.ts";
import type { PipelineWork } from "../cli/with_pipeline.ts";
import { commandGenerator, generatorHandle, start } from "../generate/control_generator.ts";
import { type DemoProgress, demoProgress, loadedRows } from "../statements/demo_progress.ts";
import { verifyLedger } from "../statements/verify_ledger.ts";
import { type DemoPhase, DemoScreen } from "./demo_screen.ts";
import { HISTORY_FILES, landHistory } from "./land_history.ts";
import { printResults, printWhatNext } from "./print_results.ts";

const POLL_MS = 400;
/** Enough to see something move, at any hour of the shop's day. */
const LIVE_EVENTS_PER_SECOND = 50;
/** Names of generated files; somebody may drop others meanwhile. */
const GENERATED = String.raw`^events-\d{8}T\d{6}Z-\d{6,}\.csv$`;

/** What a person chose. */
export interface DemoOptions {
  /** To be live before the results are shown. */
  readonly seconds: number;
  /** Events of the history. */
  readonly events: number;
  readonly seed: number;
  /** Stop after the proof. */
  readonly exit: boolean;
}

/**
 * Lands the history, waits until it is loaded, goes live, and shows results. With `exit` it ends with
 * the proof that every generated event is loaded; else it goes on until `aborted`.
 *
 * @throws {TaskError} when the proof fails
 */
export async function runDemo(
  { pipeline, aborted }: PipelineWork,
  options: DemoOptions,
  view: LiveView,
): Promise<void> {
  const { client, inboxId, run } = pipeline;
  const host = { client, inbox: run.inbox, inboxId };
  const owner = openQueryPool(run.ownerDatabaseUrl, "ingest");
  const reader = openQueryPool(run.databaseUrl, "reader");
  try {
    await stopGenerator(host);
    const demo = new Demo(owner, { inboxId, aborted, screen: new DemoScreen(view) });
    view.print(`Inbox ${run.inbox}${run.webUiUrl ? ` · Web UI ${run.webUiUrl}` : ""}`);
    if (await loadedRows(owner, inboxId) < options.events) {
      await demo.loadHistory(run.inbox, options);
    }
    await demo.goLive(host, options);
    if (options.exit) {
      await demo.finish(host);
      await printResults(reader);
      console.log(await prove(reader, demo));
    } else {
      await printResults(reader);
      printWhatNext(run);
      if (Deno.stderr.isTerminal()) await demo.stayLive();
      else await sleep(2 ** 31 - 1, aborted);
    }
  } catch (error) {
    if (!(error instanceof InterruptedError)) throw error;
  } finally {
    await stopGenerator(host).catch(() => {});
    await Promise.all([owner.end({ timeout: 2 }), reader.end({ timeout: 2 })]);
  }
}

/** The demo's files: those that it landed, counted as they are written and as the ledger has them. */
class Demo {
  readonly #sql: Sql;
  readonly #inboxId: string;
  readonly #aborted: AbortSignal;
  readonly #screen: DemoScreen;
  /** No file of the demo is older; a file system's clock may be a tick behind. */
  readonly #since = new Date(Date.now() - 1_000);
  #liveSince: number | undefined;
  #historyTotal = 0;
  #historyLanded = 0;
  /** Landed so far; the live ones are known at the end. */
  generated = { files: 0, events: 0 };
  progress: DemoProgress | undefined;

  constructor(
    sql: Sql,
    { inboxId, aborted, screen }: { inboxId: string; aborted: AbortSignal; screen: DemoScreen },
  ) {
    this.#sql = sql;
    this.#inboxId = inboxId;
    this.#aborted = aborted;
    this.#screen = screen;
  }

  /** Lands the history and waits until all of it is settled. */
  async loadHistory(inbox: string, { seed, events }: DemoOptions): Promise<void> {
    this.#historyTotal = HISTORY_FILES;
    let failure: unknown;
    landHistory({
      inbox,
      seed,
      events,
      endAt: Date.now(),
      signal: this.#aborted,
      onLanded: (landed) => {
        this.#historyLanded++;
        this.#count(1, landed);
      },
    }).catch((error) => failure = error);
    await this.#follow(() => undefined, ({ settled }) => {
      if (failure !== undefined) throw failure;
      return this.#historyLanded === HISTORY_FILES && settled === HISTORY_FILES;
    });
  }

  /** Starts the generator and lets it run for the chosen time. */
  async goLive(host: Parameters<typeof start>[0], { seed, seconds }: DemoOptions): Promise<void> {
    await start(host, { seed, rate: LIVE_EVENTS_PER_SECOND });
    this.#liveSince = performance.now();
    const live = () => ({
      share: this.#liveSeconds() / seconds,
      text: `${Math.min(seconds, Math.floor(this.#liveSeconds()))} of ${seconds} s`,
    });
    await this.#follow(live, () => this.#liveSeconds() >= seconds);
    this.#screen.end();
  }

  /** Stops the generator, and waits until its last file is settled. */
  async finish(host: Parameters<typeof commandGenerator>[0]): Promise<void> {
    await commandGenerator(host, "stop");
    const { filesLanded, eventsLanded } = await generatorHandle(host).result();
    this.#count(filesLanded, eventsLanded);
    const live = () => ({ share: 1, text: "stopped, and what has landed is loaded" });
    await this.#follow(live, ({ settled }) => settled === this.generated.files);
    this.#screen.end();
  }

  /** Shows how it goes on, until told to stop. */
  async stayLive(): Promise<void> {
    await this.#follow(() => ({ share: 1, text: "until Ctrl-C" }), () => false);
  }

  #count(files: number, events: number): void {
    const { generated } = this;
    this.generated = { files: generated.files + files, events: generated.events + events };
  }

  #liveSeconds(): number {
    return (performance.now() - (this.#liveSince ?? performance.now())) / 1_000;
  }

  async #follow(
    describeLive: () => DemoPhase["live"],
    isDone: (progress: DemoProgress) => boolean,
  ): Promise<void> {
    const scope = { inboxId: this.#inboxId, since: this.#since, pattern: GENERATED };
    while (true) {
      const progress = await demoProgress(this.#sql, scope);
      this.progress = progress;
      const live = describeLive();
      const phase: DemoPhase = {
        historyLanded: this.#historyLanded,
        historyTotal: this.#historyTotal,
        ...(live !== undefined && { live }),
      };
      this.#screen.show(phase, progress);
      if (isDone(progress)) return;
      if (!await sleep(POLL_MS, this.#aborted)) throw new InterruptedError();
    }
  }
}

/** Compares what was generated with what is loaded, and asks the ledger for its proof. */
async function prove(sql: Sql, { generated, progress }: Demo): Promise<string> {
  const { violations, events } = await verifyLedger(sql);
  const { records = 0, loaded = 0, duplicates = 0, rejected = 0, failed = 0 } = progress ?? {};
  const counts =
    `Generated ${countOf(generated.events, "event")} in ${countOf(generated.files, "file")}; ` +
    `${count(loaded)} loaded, ${count(duplicates)} already there, ${count(rejected)} rejected`;
  const isComplete = records === generated.events && loaded + duplicates === generated.events &&
    failed === 0;
  if (isComplete && violations.length === 0) {
    return `${counts}. Proven: each of ${
      countOf(events, "event")
    } is there once, and every record was ` +
      "counted once.";
  }
  throw new TaskError(
    `Cannot prove the demo: ${counts}; ${countOf(failed, "file")} failed, ` +
      `${countOf(violations.length, "violation")} found; see \`deno task verify\` and ` +
      "`deno task files list`",
  );
}

/** A generator of an earlier start goes on by itself, with another seed perhaps. */
async function stopGenerator(host: Parameters<typeof commandGenerator>[0]): Promise<void> {
  try {
    await commandGenerator(host, "stop");
  } catch (error) {
    // None runs.
    if (!(error instanceof TaskError)) throw error;
  }
}
