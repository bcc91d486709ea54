import assert from "node:assert/strict";
import { prettify } from "../../scripts/log.ts";
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

Deno.test("prettify() lets no name of a file make a line of its own, or turn the screen around", () => {
  const msg = "Cannot load a\n12:00:00 INFO: forged\r\x1b[2J\u202ecsv.exe\u2028next";
  const shown = prettify(JSON.stringify({ level: 40, time: 0, msg }));
  assert.equal(shown.trimEnd().split("\n").length, 1);
  for (const trick of ["\r", "\u202e", "\u2028", "\x1b[2J"]) assert.ok(!shown.includes(trick));
  assert.ok(shown.includes("Cannot load a\ufffd12:00:00 INFO: forged"));
});
