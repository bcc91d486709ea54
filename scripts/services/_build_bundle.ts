/**
 * Bundles workflows with the SDK: `deno run -A _build_bundle.ts WORKFLOWS OUTPUT`.
 *
 * @module
 */
import { bundleWorkflowCode, DefaultLogger } from "@temporalio/worker";

if (import.meta.main) {
  const [workflowsPath, output] = Deno.args;
  if (!workflowsPath || !output) Deno.exit(2);
  const logger = new DefaultLogger("ERROR");
  // Our modules have constants and functions alone: loaded once, not for each workflow, which takes a quarter of its time.
  const preloadModules = [workflowsPath];
  const { code } = await bundleWorkflowCode({ workflowsPath, preloadModules, logger });
  await Deno.writeTextFile(output, code);
}
