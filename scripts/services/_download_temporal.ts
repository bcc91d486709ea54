/**
 * Has the SDK download the Temporal CLI into a directory: `deno run -A _download_temporal.ts DIR`.
 * Fails within 40 ms where there is no network.
 *
 * @module
 */
import { TestWorkflowEnvironment } from "@temporalio/testing";
import { DefaultLogger, Runtime } from "@temporalio/worker";

if (import.meta.main) {
  const [downloadDir] = Deno.args;
  if (!downloadDir) Deno.exit(2);
  try {
    Runtime.install({ logger: new DefaultLogger("ERROR") });
    const environment = await TestWorkflowEnvironment.createLocal({
      server: { executable: { type: "cached-download", downloadDir, ttl: "365 days" } },
    });
    await environment.teardown();
    Deno.exit(0);
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    Deno.exit(1);
  }
}
