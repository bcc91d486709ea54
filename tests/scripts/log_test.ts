import assert from "node:assert/strict";
import { projectPath } from "../harness.ts";

Deno.test("createLogger() writes JSON lines to stderr and hides secrets", async () => {
  const script = `import { createLogger } from "${projectPath("scripts/log.ts")}";
    const log = createLogger("info");
    log.debug("not this");
    log.info({ fileId: 7, config: { databaseUrl: "postgres://u:hunter2@h/d" } }, "loaded");
    Deno.exit(0);`;
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", "--config", projectPath("deno.json"), script],
    cwd: projectPath(),
  }).output();
  assert.equal(stdout.length, 0);
  const lines = new TextDecoder().decode(stderr).trim().split("\n");
  const entry = JSON.parse(lines.at(-1) ?? "");
  assert.equal(entry.msg, "loaded");
  assert.equal(entry.fileId, 7);
  assert.ok(!lines.join().includes("hunter2"));
  assert.ok(!lines.join().includes("not this"));
});
