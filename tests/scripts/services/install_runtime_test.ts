import assert from "node:assert/strict";
import { Runtime } from "@temporalio/worker";
import pino from "pino";
import { installRuntime } from "../../../scripts/services/install_runtime.ts";

Deno.test("installRuntime() keeps nothing of what is below the level", async () => {
  const lines: string[] = [];
  const log = pino({ level: "warn" }, { write: (line) => void lines.push(line) });
  installRuntime(log);
  const asked: string[] = [];
  const isLevelEnabled = log.isLevelEnabled.bind(log);
  log.isLevelEnabled = (level) => {
    asked.push(level);
    return isLevelEnabled(level);
  };
  const runtime = Runtime.instance();
  for (const level of ["trace", "debug", "info", "warn", "error"] as const) {
    runtime.logger[level](`it says ${level}`, { workflowId: "ingest/a" });
  }
  await runtime.shutdown();
  assert.deepEqual(asked, ["warn", "error"]);
  const told = lines.map((line) => JSON.parse(line));
  assert.deepEqual(
    told.map(({ level, msg, workflowId }) => [level, msg, workflowId]),
    [[40, "it says warn", "ingest/a"], [50, "it says error", "ingest/a"]],
  );
});
