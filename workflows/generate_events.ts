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
  assertChange,
  assertCommand,
  type GeneratorChange,
  type GeneratorCommand,
  InvalidChange,
  withChange,
  withCommand,
} from "../domain/generator_change.ts";
import { describeFaults } from "../domain/generator/fault_shares.ts";
import {
  afterTick,
  type GeneratorState,
  type Interval,
  isBehind,
  nextTick,
} from "../domain/generator_state.ts";

/** Where the generator is, and what it was told. */
export const statusQuery = defineQuery<GeneratorState>("status");
/** Stops landing files until `resume`. */
export const pauseUpdate = defineUpdate<GeneratorState>("pause");
/** Goes on after `pause`. */
export const resumeUpdate = defineUpdate<GeneratorState>("resume");
/** Ends the workflow after the file under way. */
export const stopUpdate = defineUpdate<GeneratorState>("stop");
/** Changes anything else, from the next file on; all that is named, or nothing. */
export const changeUpdate = defineUpdate<GeneratorState, [GeneratorChange]>("change");

const { landTick } = proxyActivities<Activities>({
  startToCloseTimeout: "5 minutes",
  heartbeatTimeout: "5 seconds",
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
  let state: GeneratorState = { ...initial, reachedAt: initial.reachedAt ?? Date.now() };
  let landing = false;
  let changes = 0;
  const change = (next: GeneratorState): GeneratorState => {
    state = next;
    changes++;
    show(state);
    return state;
  };
  // What a file under way holds is decided: changes of what comes next wait until it has landed.
  const whenLanded = () => condition(() => !landing);
  const obey = (command: GeneratorCommand) => change(withCommand(state, command, Date.now()));
  const validated = (command: GeneratorCommand) => ({
    validator: () => explain(() => assertCommand(state, command)),
  });
  setHandler(statusQuery, () => state);
  setHandler(pauseUpdate, () => obey("pause"), validated("pause"));
  setHandler(stopUpdate, () => obey("stop"), validated("stop"));
  const resume = async () => {
    await whenLanded();
    return explain(() => obey("resume"));
  };
  setHandler(resumeUpdate, resume, validated("resume"));
  const apply = async (wanted: GeneratorChange) => {
    await whenLanded();
    return explain(() => change(withChange(state, wanted, Date.now())));
  };
  setHandler(changeUpdate, apply, {
    validator: (wanted) => explain(() => assertChange(state, wanted, Date.now())),
  });
  // A change takes effect at once: the wait for the next file begins anew.
  const waitForTurn = async () => {
    for (let seen = -1; seen !== changes && !state.stopped;) {
      seen = changes;
      if (state.paused) await condition(() => state.stopped || !state.paused);
      else {await condition(() => changes !== seen, drawWait(state.interval), {
          summary: "next file",
        });}
    }
  };

  show(state);
  while (!state.stopped) {
    if (state.paused || !isBehind(state, Date.now())) await waitForTurn();
    if (state.stopped) break;
    const tick = nextTick(state, Date.now());
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

function explain<Result>(work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof InvalidChange)) throw error;
    throw ApplicationFailure.nonRetryable(error.message, "InvalidChange");
  }
}

function show(state: GeneratorState): void {
  const { stopped, paused, rates, interval: { minMs, maxMs }, seed, speed, faults } = state;
  const doing = stopped ? "stopped" : paused ? "paused" : "running";
  const rate = rates.at(-1)?.eventsPerSecond ?? 0;
  setCurrentDetails([
    `**${doing}** at ${rate} events/s, a file every ${minMs / 1000} to ${maxMs / 1000} s`,
    `landed ${state.filesLanded} files with ${state.eventsLanded} events`,
    `feed time ${new Date(state.feedTime).toISOString()}${
      speed === 1 ? "" : `, ${speed} × real time`
    }`,
    `seed ${seed}, faults: ${describeFaults(faults)}; ${state.faultsPlanted} planted`,
  ].join("\n\n"));
}
