/**
 * A worker that only lands files, in a process of its own, to be killed by tests. Its one argument is
 * {@linkcode GeneratorSetup} as JSON.
 *
 * @module
 */
import { NativeConnection, Runtime, Worker } from "@temporalio/worker";
import { sayAlive } from "../../activities/activity_context.ts";
import { createLandTick } from "../../activities/land_tick.ts";
import { endWithParent } from "./_end_with_parent.ts";

/** What a test says about the worker. */
export interface GeneratorSetup {
  temporalAddress: string;
  bundlePath: string;
  taskQueue: string;
}

if (import.meta.main) {
  void endWithParent();
  const { temporalAddress, bundlePath, taskQueue }: GeneratorSetup = JSON.parse(Deno.args[0] ?? "");
  Runtime.install({ shutdownSignals: ["SIGTERM"] });
  const connection = await NativeConnection.connect({ address: temporalAddress });
  const worker = await Worker.create({
    connection,
    taskQueue,
    workflowBundle: { codePath: bundlePath },
    activities: { landTick: createLandTick({ beat: sayAlive }) },
    // What waits for a worker that was killed goes to the next one soon.
    stickyQueueScheduleToStartTimeout: 300,
  });
  console.log("ready");
  await worker.run();
}
