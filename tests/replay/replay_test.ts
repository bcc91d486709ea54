import assert from "node:assert/strict";

import { Worker } from "@temporalio/worker";
import { DeterminismViolationError } from "@temporalio/workflow";
import "../faults/_quiet_runtime.ts";
import { projectPath, tempDir, testBundle } from "../harness.ts";
import { RECORDINGS } from "./_recordings.ts";

/** Activities as they are called in the histories; a workflow that calls others cannot replay them. */
const ACTIVITIES = ["ingestSmallFile", "inspectFile", "loadSpan", "landTick"];

for (const name of Object.keys(RECORDINGS)) {
  const history = JSON.parse(await Deno.readTextFile(projectPath(`tests/replay/${name}.json`)));

  Deno.test(`The workflows of this version replay ${name}`, async () => {
    await Worker.runReplayHistory({ workflowBundle: { codePath: await testBundle() } }, history);
  });

  Deno.test(`Changed workflows do not replay ${name}`, async () => {
    await using folder = await tempDir();
    const changed = ACTIVITIES.reduce(
      (code, activity) => code.replaceAll(activity, `${activity}Changed`),
      await Deno.readTextFile(await testBundle()),
    );
    const codePath = `${folder.path}/changed.js`;
    await Deno.writeTextFile(codePath, changed);
    await assert.rejects(
      Worker.runReplayHistory({ workflowBundle: { codePath } }, history),
      DeterminismViolationError,
    );
  });
}
