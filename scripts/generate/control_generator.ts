import {
  type WorkflowHandle,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
} from "@temporalio/client";
import { taskQueue } from "../../domain/ingest_api.ts";
import {
  type GeneratorState,
  type Interval,
  InvalidChange,
  startGenerator,
} from "../../domain/generator_state.ts";
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
}

/** What the generator does, for people. */
export interface GeneratorStatus {
  doing: "running" | "paused" | "stopped";
  files: number;
  events: number;
  /** Events a second. */
  rate: number;
  interval: string;
  seed: number;
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
 * Starts the generator of an inbox; one that runs already gets the new rate and interval instead.
 *
 * @throws {TaskError} when it runs and an option can only be given at its start, or a value is refused
 */
export async function startOrSteer(host: Host, options: SteerOptions): Promise<GeneratorStatus> {
  if (!await isRunning(host)) return describe(await start(host, options));
  const fixed = (["files", "seed", "from", "speed"] as const).find((name) => name in options);
  if (fixed !== undefined) {
    throw new TaskError(
      `Cannot change --${fixed}: the generator runs already; \`deno task generate --stop\` ends it`,
    );
  }
  const handle = generatorHandle(host);
  const { rate, interval } = options;
  if (rate !== undefined) await update(() => handle.executeUpdate("setRate", { args: [rate] }));
  if (interval !== undefined) {
    await update(() => handle.executeUpdate("setInterval", { args: [interval] }));
  }
  return readStatus(host);
}

/** Starts the generator of an inbox; there must be none that runs. */
export async function start(
  { client, inbox, inboxId }: Host,
  { interval, rate = DEFAULT_RATE, files, seed = 1, from = Date.now(), speed }: SteerOptions,
): Promise<GeneratorState> {
  const state = explained(() =>
    startGenerator({
      directory: inbox,
      seed,
      eventsPerSecond: rate,
      from,
      ...(interval && { interval }),
      ...(speed !== undefined && { speed }),
      ...(files !== undefined && { files }),
    })
  );
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
    running: "deno task generate --pause, --rate N, --interval 1s..3s or --stop changes it",
    paused: "deno task generate --resume goes on",
    stopped: `Landed ${countOf(filesLanded, "file")}; deno task generate starts anew`,
  }[doing];
  return {
    doing,
    files: filesLanded,
    events: eventsLanded,
    rate: state.rates.at(-1)?.eventsPerSecond ?? 0,
    interval: minMs === maxMs ? `${minMs / 1000} s` : `${minMs / 1000} to ${maxMs / 1000} s`,
    seed: state.seed,
    feedTime: new Date(state.feedTime).toISOString(),
    hint,
  };
}
