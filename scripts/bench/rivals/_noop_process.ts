/**
 * Runs workflows that do nothing and prints the seconds they took: `_noop_process.ts ADDRESS COUNT`. Worker and client in
 * one process, as ours has them, with the SDK's defaults.
 *
 * @module
 */
import { fileURLToPath } from "node:url";
import { Client } from "@temporalio/client";
import { bundleWorkflowCode, DefaultLogger, NativeConnection, Worker } from "@temporalio/worker";
import { createLogger } from "../../log.ts";
import { installRuntime } from "../../services/install_runtime.ts";
import type { noopWorkflow } from "./noop_workflow.ts";

/** As many as the watcher has by default: more only wait in the server. */
const MAX_IN_FLIGHT = 200;
/** Requests at a time; more gain nothing. */
const STARTERS = 16;

if (import.meta.main) {
  const [address, count] = Deno.args;
  console.log(await runNoops(address!, Number(count)));
  Deno.exit(0);
}

async function runNoops(address: string, count: number): Promise<number> {
  installRuntime(createLogger("error"));
  const connection = await NativeConnection.connect({ address });
  const taskQueue = `noop-${crypto.randomUUID()}`;
  let done = 0;
  const worker = await Worker.create({
    connection,
    taskQueue,
    workflowBundle: await bundleWorkflowCode({
      workflowsPath: fileURLToPath(new URL("noop_workflow.ts", import.meta.url)),
      logger: new DefaultLogger("ERROR"),
    }),
    activities: { noop: () => Promise.resolve(done++) },
  });
  const { workflow } = new Client({ connection });
  let next = 0;
  const startSome = async () => {
    while (next < count) {
      if (next - done >= MAX_IN_FLIGHT) {
        await new Promise((resolve) => setTimeout(resolve, 1));
        continue;
      }
      const workflowId = `${taskQueue}/${next++}`;
      await workflow.start<typeof noopWorkflow>("noopWorkflow", { taskQueue, workflowId });
    }
  };
  return await worker.runUntil(async () => {
    const startedAt = performance.now();
    await Promise.all(Array.from({ length: STARTERS }, startSome));
    // Only the last ones can be unfinished.
    for (let index = Math.max(0, count - MAX_IN_FLIGHT); index < count; index++) {
      await workflow.getHandle(`${taskQueue}/${index}`).result();
    }
    return (performance.now() - startedAt) / 1000;
  });
}
