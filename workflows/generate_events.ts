import {
  allHandlersFinished,
  ApplicationFailure,
  condition,
  continueAsNew,
  defineQuery,
  defineUpdate,
  proxyActivities,
  setCurrentDetails,
  setHandler,
  workflowInfo,
} from "@temporalio/workflow";
import type { Activities } from "../activities/create_activities.ts";
import {
  afterTick,
  assertCommand,
  assertInterval,
  assertRate,
  type GeneratorState,
  type Interval,
  InvalidChange,
  nextTick,
  withCommand,
  withRate,
} from "../domain/generator_state.ts";

/** Where the generator is, and what it was told. */
export const statusQuery = defineQuery<GeneratorState>("status");
/** Stops landing files until `resume`. */
export const pauseUpdate = defineUpdate<GeneratorState>("pause");
/** Goes on after `pause`. */
export const resumeUpdate = defineUpdate<GeneratorState>("resume");
/** Ends the workflow after the file under way. */
export const stopUpdate = defineUpdate<GeneratorState>("stop");
/** Events a second, averaged over a week, from now on. */
export const setRateUpdate = defineUpdate<GeneratorState, [number]>("setRate");
/** Shortest and longest wait between two files, from now on. */
export const setIntervalUpdate = defineUpdate<GeneratorState, [Interval]>("setInterval");

const { landTick } = proxyActivities<Activities>({
  startToCloseTimeout: "5 minutes",
  heartbeatTimeout: "30 seconds",
  retry: { initialInterval: "1 second", maximumInterval: "30 seconds" },
  summary: "write, fsync, rename",
});

/**
 * Lands event files until it is stopped. The state decides what a file holds, and the activity only writes it down: a
 * tick that is tried again lands the same bytes under the same name, or finds them landed.
 *
 * @param initial State to start from; the one before continue-as-new.
 */
export async function generateEvents(initial: GeneratorState): Promise<GeneratorState> {
  let state = initial;
  let lastTick = Date.now();
  let landing = false;
  const change = (next: GeneratorState): GeneratorState => {
    state = next;
    show(state);
    return state;
  };
  // What a file under way holds is decided: changes of what comes next wait until it has landed.
  const whenLanded = () => condition(() => !landing);
  const validateCommand = (command: "pause" | "resume" | "stop") => () =>
    explain(() => assertCommand(state, command));
  setHandler(statusQuery, () => state);
  const pause = () => change(withCommand(state, "pause", Date.now()));
  const stop = () => change(withCommand(state, "stop", Date.now()));
  const resume = async () => {
    await whenLanded();
    lastTick = Date.now();
    return change(withCommand(state, "resume", lastTick));
  };
  const setRate = async (eventsPerSecond: number) => {
    await whenLanded();
    return change(withRate(state, eventsPerSecond));
  };
  setHandler(pauseUpdate, pause, { validator: validateCommand("pause") });
  setHandler(resumeUpdate, resume, { validator: validateCommand("resume") });
  setHandler(stopUpdate, stop, { validator: validateCommand("stop") });
  setHandler(setRateUpdate, setRate, { validator: (rate) => explain(() => assertRate(rate)) });
  setHandler(setIntervalUpdate, (interval) => change({ ...state, interval }), {
    validator: (interval) => explain(() => assertInterval(interval)),
  });

  show(state);
  while (!state.stopped) {
    await condition(() => state.stopped || state.paused, drawWait(state.interval));
    if (state.paused) await condition(() => state.stopped || !state.paused);
    if (state.stopped) break;
    const now = Date.now();
    const tick = nextTick(state, now - lastTick);
    lastTick = now;
    landing = true;
    const result = await landTick(tick);
    landing = false;
    change(afterTick(state, tick, result));
    if (workflowInfo().continueAsNewSuggested || workflowInfo().historyLength > MAX_HISTORY) {
      await condition(allHandlersFinished);
      if (!state.stopped) await continueAsNew<typeof generateEvents>(state);
    }
  }
  await condition(allHandlersFinished);
  return state;
}

/** Events of history per run: a few hundred files. */
const MAX_HISTORY = 4_000;

/** `Math.random` is seeded by the SDK, the same on replay; how long we waited does not decide which events exist. */
function drawWait({ minMs, maxMs }: Interval): number {
  return minMs + Math.floor(Math.random() * (maxMs - minMs + 1));
}

function explain(check: () => void): void {
  try {
    check();
  } catch (error) {
    if (!(error instanceof InvalidChange)) throw error;
    throw ApplicationFailure.nonRetryable(error.message, "InvalidChange");
  }
}

function show(state: GeneratorState): void {
  const doing = state.stopped ? "stopped" : state.paused ? "paused" : "running";
  const rate = state.rates.at(-1)?.eventsPerSecond ?? 0;
  const { minMs, maxMs } = state.interval;
  setCurrentDetails([
    `**${doing}** at ${rate} events/s, a file every ${minMs / 1000} to ${maxMs / 1000} s`,
    `landed ${state.filesLanded} files with ${state.eventsLanded} events`,
    `feed time ${new Date(state.feedTime).toISOString()}`,
  ].join("\n\n"));
}
