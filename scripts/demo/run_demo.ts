import type { Sql } from "../../activities/database.ts";
import { InterruptedError, TaskError } from "../cli/failures.ts";
import type { LiveView } from "../cli/live_view.ts";
import { count, countOf } from "../cli/numbers.ts";
import { sleep } from "../cli/sleep.ts";
import { openQueryPool } from "../cli/with_database.ts";
import type { PipelineWork } from "../cli/with_pipeline.ts";
import { endGenerator, start } from "../generate/control_generator.ts";
import type { DemoProgress } from "../statements/demo_progress.ts";
import { pastHistory } from "../statements/past_history.ts";
import { verifyLedger } from "../statements/verify_ledger.ts";
import { DemoFiles } from "./demo_files.ts";
import { type DemoPhase, DemoScreen } from "./demo_screen.ts";
import { HISTORY_FILES, historyNames, holdsHistory, landHistory } from "./land_history.ts";
import { printResults, printWhatNext } from "./print_results.ts";
import { StallWatch } from "./stall_watch.ts";

const POLL_MS = 400;
/** Enough to see something move, at any hour of the shop's day. */
const LIVE_EVENTS_PER_SECOND = 50;
/** A history of the size asked for holds at least this share of the events wished for. */
const LEAST_SHARE = 0.8;

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
    // A generator of an earlier start goes on by itself, with another seed perhaps.
    await endGenerator(host);
    const files = await DemoFiles.begin(owner, host);
    const demo = new Demo(files, { aborted, view });
    const addresses = [["Dashboard", run.dashboardUrl], ["Web UI", run.webUiUrl]];
    const known = addresses.flatMap(([name, url]) => url === undefined ? [] : [`${name} ${url}`]);
    view.print([`Inbox ${run.inbox}`, ...known].join(" · "));
    if (!await isHistoryThere(owner, { inboxId, events: options.events })) {
      await demo.loadHistory(run.inbox, options);
    }
    await demo.goLive(host, options);
    if (options.exit) {
      await demo.finish(host);
      await printResults(reader);
      console.log(await prove(reader, files, demo.progress));
    } else {
      await printResults(reader);
      printWhatNext(run);
      if (Deno.stderr.isTerminal()) await demo.stayLive();
      else await sleep(2 ** 31 - 1, aborted);
    }
  } catch (error) {
    if (!(error instanceof InterruptedError)) throw error;
  } finally {
    await endGenerator(host).catch(() => {});
    await Promise.all([owner.end({ timeout: 2 }), reader.end({ timeout: 2 })]);
  }
}

/** The demo's course: what it lands, and waits for. */
class Demo {
  readonly #files: DemoFiles;
  readonly #aborted: AbortSignal;
  readonly #view: LiveView;
  readonly #screen: DemoScreen;
  #liveSince: number | undefined;
  #historyTotal = 0;
  #historyLanded = 0;
  #hasToldOfDuplicates = false;
  progress: DemoProgress | undefined;

  constructor(files: DemoFiles, { aborted, view }: { aborted: AbortSignal; view: LiveView }) {
    this.#files = files;
    this.#aborted = aborted;
    this.#view = view;
    this.#screen = new DemoScreen(view);
  }

  /** Lands the history and waits until all of it is settled. */
  async loadHistory(inbox: string, { seed, events }: DemoOptions): Promise<void> {
    const endAt = Date.now();
    this.#historyTotal = HISTORY_FILES;
    this.#files.expectHistory(historyNames(endAt));
    let failure: unknown;
    landHistory({
      inbox,
      seed,
      events,
      endAt,
      signal: this.#aborted,
      onLanded: (landed) => {
        this.#historyLanded++;
        this.#files.addHistory(landed);
      },
    }).catch((error) => failure = error);
    await this.#follow(() => undefined, {
      isLanding: () => this.#historyLanded < HISTORY_FILES,
      isDone: ({ settled, duplicates }) => {
        if (failure !== undefined) throw failure;
        if (duplicates > 0) this.#tellOfDuplicates();
        return this.#historyLanded === HISTORY_FILES && settled === HISTORY_FILES;
      },
    });
  }

  /** Starts the generator and lets it run for the chosen time. */
  async goLive(host: Parameters<typeof start>[0], { seed, seconds }: DemoOptions): Promise<void> {
    // Somebody may have started one meanwhile; names tell the generators apart by their second.
    await endGenerator(host);
    if (!await sleep(1_001 - Date.now() % 1_000, this.#aborted)) throw new InterruptedError();
    const { feedTime } = await start(host, { seed, rate: LIVE_EVENTS_PER_SECOND });
    this.#files.expectLive(feedTime);
    this.#liveSince = performance.now();
    const live = () => ({
      share: this.#liveSeconds() / seconds,
      text: `${Math.min(seconds, Math.floor(this.#liveSeconds()))} of ${seconds} s`,
    });
    const isDone = () => this.#liveSeconds() >= seconds;
    await this.#follow(live, { isLanding: () => true, isDone });
    this.#screen.end();
  }

  /**
   * Stops the generator, and waits until its last file is settled.
   *
   * @throws {TaskError} when files are missing
   */
  async finish(host: Parameters<typeof start>[0]): Promise<void> {
    const ended = await endGenerator(host);
    if (ended === undefined) {
      throw new TaskError("Cannot finish the demo: its generator was terminated; start it again");
    }
    this.#files.addLive({ files: ended.filesLanded, events: ended.eventsLanded });
    const live = () => ({ share: 1, text: "stopped; what has landed is being loaded" });
    await this.#follow(live, {
      isLanding: () => false,
      isDone: ({ files, settled }) =>
        settled === this.#files.landed.files && files === this.#files.landed.files,
    });
    this.#screen.end();
  }

  /** Shows how it goes on, until told to stop. */
  async stayLive(): Promise<void> {
    const live = () => ({ share: 1, text: "until Ctrl-C" });
    await this.#follow(live, { isLanding: () => true, isDone: () => false });
  }

  #tellOfDuplicates(): void {
    if (this.#hasToldOfDuplicates) return;
    this.#hasToldOfDuplicates = true;
    this.#view.print(
      "The history was landed in part before: it is landed again, and what is there already counts " +
        "as duplicate",
    );
  }

  #liveSeconds(): number {
    return (performance.now() - (this.#liveSince ?? performance.now())) / 1_000;
  }

  /** @throws {TaskError} when all has landed, and nothing changes any more */
  async #follow(
    describeLive: () => DemoPhase["live"],
    { isLanding, isDone }: {
      isLanding: () => boolean;
      isDone: (progress: DemoProgress) => boolean;
    },
  ): Promise<void> {
    const watch = new StallWatch();
    while (true) {
      const progress = await this.#files.progress();
      this.progress = progress;
      const live = describeLive();
      const phase: DemoPhase = {
        historyLanded: this.#historyLanded,
        historyTotal: this.#historyTotal,
        ...(live !== undefined && { live }),
      };
      this.#screen.show(phase, progress);
      if (isDone(progress)) return;
      const busy = progress.loading + progress.yoursLoading > 0;
      const still = watch.see([progress, this.#historyLanded], { busy });
      if (still !== undefined && !isLanding()) await this.#giveUp(progress, still);
      if (!await sleep(POLL_MS, this.#aborted)) throw new InterruptedError();
    }
  }

  async #giveUp({ settled }: DemoProgress, stillMs: number): Promise<never> {
    throw new TaskError(
      `Cannot finish the demo: ${countOf(this.#files.landed.files, "file")} landed, ` +
        `${count(settled)} settled, and nothing has changed for ${
          Math.round(stillMs / 1_000)
        } s; ` +
        `${await this.#files.describeMissing()}; see \`deno task files list\``,
    );
  }
}

/** Whether a whole history of this size is loaded, by an earlier start. */
async function isHistoryThere(
  sql: Sql,
  { inboxId, events }: { inboxId: string; events: number },
): Promise<boolean> {
  const files = await pastHistory(sql, { inboxId, files: HISTORY_FILES });
  const records = files.reduce((sum, file) => sum + file.records, 0);
  return records >= events * LEAST_SHARE && holdsHistory(new Set(files.map(({ name }) => name)));
}

/**
 * Compares what was generated with what is loaded of the same files, and asks the ledger for its proof.
 * A history that is landed again proves as well: what is there already counts as duplicate.
 */
async function prove(
  sql: Sql,
  { landed: generated }: DemoFiles,
  progress: DemoProgress | undefined,
): Promise<string> {
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
