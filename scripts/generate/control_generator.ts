import { dirname, join, resolve } from "node:path";
import {
  WorkflowExecutionAlreadyStartedError,
  WorkflowFailedError,
  type WorkflowHandle,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
} from "@temporalio/client";
import { taskQueue } from "../../domain/ingest_api.ts";
import {
  assertPast,
  type GeneratorChange,
  InvalidChange,
  startGenerator,
} from "../../domain/generator_change.ts";
import { describeFaults, type FaultShares } from "../../domain/generator/fault_shares.ts";
import type { GeneratorState, Interval } from "../../domain/generator_state.ts";
import type { generateEvents } from "../../workflows/generate_events.ts";
import { TaskError, UsageError } from "../cli/failures.ts";
import { countOf } from "../cli/numbers.ts";
import { sleep } from "../cli/sleep.ts";
import type { Running } from "../cli/with_running.ts";

const DEFAULT_RATE = 20;
/** A tick that a killed worker had begun is tried again after some seconds, and lands before the end. */
const STOP_LIMIT_MS = 60_000;

/** How the generator is started, or changed while it runs. */
export interface SteerOptions {
  interval?: Interval;
  /** Events a second. */
  rate?: number;
  files?: number;
  seed?: number;
  /** Epoch milliseconds. */
  from?: number;
  speed?: number;
  faults?: FaultShares;
  /** Directory for the ground truth; `truth` beside the inbox by default. */
  truth?: string;
}

/** What the generator does, for people. */
export interface GeneratorStatus {
  doing: "running" | "paused" | "stopped";
  files: number;
  events: number;
  /** Events a second. */
  rate: number;
  interval: string;
  /** Feed seconds per second. */
  speed: number;
  seed: number;
  faults: string;
  faultsPlanted: number;
  /** RFC 3339. */
  feedTime: string;
  /** What to do next. */
  hint: string;
}

/** What of a running instance the generator needs. */
type Host = Pick<Running, "client" | "inbox" | "inboxId">;

/** Id of the one generator of an inbox. */
export function generatorId(inboxId: string): string {
  return `generate/${inboxId}`;
}

/** Handle of the one generator of an inbox. */
export function generatorHandle({ client, inboxId }: Host): WorkflowHandle<typeof generateEvents> {
  return client.workflow.getHandle<typeof generateEvents>(generatorId(inboxId));
}

/**
 * Starts the generator of an inbox; one that runs already is changed instead, in all that is given or in nothing.
 *
 * @throws {UsageError} when a value makes no sense
 * @throws {TaskError} when a value is refused by what runs, or can only be given at the start
 */
export async function startOrSteer(host: Host, options: SteerOptions): Promise<GeneratorStatus> {
  plan(host, options);
  if (!await isRunning(host)) return describe(await start(host, options));
  const { rate, truth, interval, files, seed, from, speed, faults } = options;
  if (truth !== undefined) {
    throw new TaskError(
      "Cannot change --truth: the generator runs already; `deno task generate --stop` ends it",
    );
  }
  const change: GeneratorChange = {
    ...(rate !== undefined && { eventsPerSecond: rate }),
    ...(interval && { interval }),
    ...(files !== undefined && { files }),
    ...(seed !== undefined && { seed }),
    ...(from !== undefined && { from }),
    ...(speed !== undefined && { speed }),
    ...(faults && { faults }),
  };
  if (Object.keys(change).length === 0) return readStatus(host);
  const handle = generatorHandle(host);
  return describe(
    await update(
      "change the generator",
      () => handle.executeUpdate<GeneratorState, [GeneratorChange]>("change", { args: [change] }),
    ),
  );
}

/**
 * Starts the generator of an inbox; there must be none that runs.
 *
 * @throws {UsageError} when a value makes no sense
 * @throws {TaskError} when one runs
 */
export async function start(host: Host, options: SteerOptions): Promise<GeneratorState> {
  const { client, inbox, inboxId } = host;
  const state = plan(host, options);
  const { seed, feedTime, rates: [{ eventsPerSecond: rate }] } = state;
  try {
    await client.workflow.start<typeof generateEvents>("generateEvents", {
      workflowId: generatorId(inboxId),
      taskQueue: taskQueue(inboxId),
      args: [state],
      staticSummary: `lands shop events, ${rate}/s, seed ${seed}`,
      staticDetails: `- into \`${inbox.replaceAll("`", "_")}\`\n- first event at ${
        new Date(feedTime).toISOString()
      }\n- change it with \`deno task generate --help\``,
    });
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    throw new TaskError(
      "Cannot start the generator: one is still ending; try again, or see " +
        "`deno task generate --status`",
    );
  }
  return state;
}

/** The state to start from. */
function plan(
  { inbox }: Host,
  { interval, rate = DEFAULT_RATE, files, seed = 1, from = Date.now(), ...options }: SteerOptions,
): GeneratorState {
  const { speed, faults, truth = join(dirname(inbox), "truth") } = options;
  try {
    assertPast(from, Date.now());
    return startGenerator({
      directory: inbox,
      truthDirectory: resolve(truth),
      seed,
      eventsPerSecond: rate,
      from,
      ...(interval && { interval }),
      ...(speed !== undefined && { speed }),
      ...(faults && { faults }),
      ...(files !== undefined && { files }),
    });
  } catch (error) {
    throw error instanceof InvalidChange ? new UsageError(error.message) : error;
  }
}

/** Pauses, resumes or stops the generator. */
export async function commandGenerator(
  host: Host,
  command: "pause" | "resume" | "stop",
): Promise<GeneratorStatus> {
  const handle = generatorHandle(host);
  const state = await update(
    `${command} the generator`,
    () => handle.executeUpdate<GeneratorState, []>(command),
  );
  return describe(state);
}

/**
 * Stops the generator of an inbox, if one runs, and waits until it has ended: no file of it lands later.
 *
 * @returns how it ended, or how the latest did; undefined when there was none, or it was terminated
 * @throws {TaskError} when it has not ended within a minute
 */
export async function endGenerator(host: Host): Promise<GeneratorState | undefined> {
  const done = new AbortController();
  const tooLate = sleep(STOP_LIMIT_MS, done.signal).then((): never => {
    throw new TaskError(
      `Cannot end the generator: told to stop, it still runs after ${STOP_LIMIT_MS / 1_000} s; ` +
        "see `deno task generate --status`",
    );
  });
  // Rejected in vain when the end came first.
  tooLate.catch(() => {});
  try {
    return await Promise.race([stopAndAwait(host), tooLate]);
  } finally {
    done.abort();
  }
}

async function stopAndAwait(host: Host): Promise<GeneratorState | undefined> {
  const handle = generatorHandle(host);
  try {
    if (await isRunning(host)) await handle.executeUpdate<GeneratorState, []>("stop");
  } catch (error) {
    // It has been told before, or ended in between.
    const isEnding = error instanceof WorkflowUpdateFailedError ||
      error instanceof WorkflowNotFoundError;
    if (!isEnding) throw error;
  }
  try {
    return await handle.result();
  } catch (error) {
    if (error instanceof WorkflowNotFoundError || error instanceof WorkflowFailedError) return;
    throw error;
  }
}

/** @throws {TaskError} when there has never been one */
export async function readStatus(host: Host): Promise<GeneratorStatus> {
  const ask = () => generatorHandle(host).query<GeneratorState>("status");
  return describe(await update("show the generator", ask));
}

async function isRunning(host: Host): Promise<boolean> {
  try {
    return (await generatorHandle(host).describe()).status.name === "RUNNING";
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return false;
    throw error;
  }
}

/** Turns what the server and the workflow say into sentences; `doing` follows "Cannot". */
async function update<Result>(doing: string, ask: () => Promise<Result>): Promise<Result> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof WorkflowUpdateFailedError) {
      throw new TaskError(error.cause?.message ?? error.message);
    }
    if (!(error instanceof WorkflowNotFoundError)) throw error;
    throw new TaskError(`Cannot ${doing}: none runs; \`deno task generate\` starts one`);
  }
}

function describe(state: GeneratorState): GeneratorStatus {
  const { stopped, paused, interval: { minMs, maxMs }, filesLanded, eventsLanded } = state;
  const doing = stopped ? "stopped" : paused ? "paused" : "running";
  const hint = {
    running:
      "deno task generate --pause, --stop, --rate N, --interval 1s..3s, --speed N or --faults N changes it",
    paused: "deno task generate --resume goes on",
    stopped: `Landed ${countOf(filesLanded, "file")}; deno task generate starts anew`,
  }[doing];
  return {
    doing,
    files: filesLanded,
    events: eventsLanded,
    rate: state.rates.at(-1)?.eventsPerSecond ?? 0,
    interval: minMs === maxMs ? `${minMs / 1000} s` : `${minMs / 1000} to ${maxMs / 1000} s`,
    speed: state.speed,
    seed: state.seed,
    faults: describeFaults(state.faults),
    faultsPlanted: state.faultsPlanted,
    feedTime: new Date(state.feedTime).toISOString(),
    hint,
  };
}
