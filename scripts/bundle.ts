/**
 * `deno task bundle`: builds the workflows ahead of the workers that run them.
 *
 * @module
 */
import { createCommand } from "./cli/create_command.ts";
import { runTask } from "./cli/run_task.ts";
import { readConfig } from "./config.ts";
import { workflowBundle } from "./services/workflow_bundle.ts";

const command = createCommand(
  "bundle",
  "Builds the workflows that workers run into CLICKLEDGER_CACHE, unless they are there: a worker that is\n" +
    "confined to its permission set may not start the process that builds them. Prints the path.",
)
  .action(async () => {
    const { cache } = readConfig();
    const progress = (line: string) => console.error(line);
    console.log((await workflowBundle({ cache, progress })).codePath);
  });

if (import.meta.main) await runTask(command);
