import { dirname, join, resolve } from "node:path";
import {
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
import { TaskError } from "../cli/failures.ts";
import { countOf } from "../cli/numbers.ts";
import type { Running } from "../cli/with_running.ts";

const DEFAULT_RATE = 20;

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
 * @throws {TaskError} when a value is refused, or can only be given at the start
 */
export async function startOrSteer(host: Host, options: SteerOptions): Promise<GeneratorStatus> {
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
    await update(() =>
      handle.executeUpdate<GeneratorState, [GeneratorChange]>("change", { args: [change] })
    ),
  );
}

/** Starts the generator of an inbox; there must be none that runs. */
export async function start(
  { client, inbox, inboxId }: Host,
  { interval, rate = DEFAULT_RATE, files, seed = 1, from = Date.now(), ...options }: SteerOptions,
): Promise<GeneratorState> {
  const { speed, faults, truth = join(dirname(inbox), "truth") } = options;
  const state = explained(() => {
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
  });
  await client.workflow.start<typeof generateEvents>("generateEvents", {
    workflowId: generatorId(inboxId),
    taskQueue: taskQueue(inboxId),
    args: [state],
    staticSummary: `lands shop events, ${rate}/s, seed ${seed}`,
    staticDetails: `- into \`${inbox.replaceAll("`", "_")}\`\n- first event at ${
      new Date(from).toISOString()
    }\n- change it with \`deno task generate --help\``,
  });
  return state;
}

/** Pauses, resumes or stops the generator. */
export async function commandGenerator(
  host: Host,
  command: "pause" | "resume" | "stop",
): Promise<GeneratorStatus> {
  const handle = generatorHandle(host);
  const state = await update(() => handle.executeUpdate<GeneratorState, []>(command));
  return describe(state);
}

/** @throws {TaskError} when there has never been one */
export async function readStatus(host: Host): Promise<GeneratorStatus> {
  return describe(await update(() => generatorHandle(host).query<GeneratorState>("status")));
}

async function isRunning(host: Host): Promise<boolean> {
  try {
    return (await generatorHandle(host).describe()).status.name === "RUNNING";
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return false;
    throw error;
  }
}

/** Turns what the server and the workflow say into sentences. */
async function update<Result>(ask: () => Promise<Result>): Promise<Result> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof WorkflowUpdateFailedError) {
      throw new TaskError(error.cause?.message ?? error.message);
    }
    if (!(error instanceof WorkflowNotFoundError)) throw error;
    throw new TaskError("Cannot do that: no generator runs; `deno task generate` starts one");
  }
}

function explained<Result>(make: () => Result): Result {
  try {
    return make();
  } catch (error) {
    throw error instanceof InvalidChange ? new TaskError(error.message) : error;
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
