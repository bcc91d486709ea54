import assert from "node:assert/strict";
import { join } from "node:path";
import { withoutSettings } from "../../scripts/_test_services.ts";
import { readRunFile } from "../../scripts/services/run_file.ts";
import { projectPath, tempDir, waitFor } from "../harness.ts";

Deno.test("deno task bench leaves neither a process nor a file when it is interrupted", async () => {
  await using directory = await tempDir();
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", projectPath("scripts/bench.ts"), "--only", "latency"],
    clearEnv: true,
    env: { ...withoutSettings(Deno.env.toObject()), TMPDIR: directory.path },
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const output = new Response(child.stderr).text();
  const subject = await Promise.race([
    waitFor(() => findSubject(directory.path), {
      what: "the pipeline that is measured",
      timeoutMs: 120_000,
    }),
    child.status.then(async ({ code }) => {
      throw new Error(`Cannot go on: the bench ended with ${code}:\n${await output}`);
    }),
  ]);
  // One that hangs does not end because its servers do.
  Deno.kill(subject, "SIGSTOP");
  child.kill("SIGINT");
  const { code } = await child.status;
  // Only then: a process that is left may hold it open.
  if (code !== 130) assert.fail(`the bench ended with ${code}:\n${await output}`);
  assert.throws(() => Deno.kill(subject, "SIGCONT"), Deno.errors.NotFound);
  assert.deepEqual(await Array.fromAsync(Deno.readDir(directory.path)), []);
});

/** Its pid, once it says that it runs. */
async function findSubject(parent: string): Promise<number | undefined> {
  for await (const { name } of Deno.readDir(parent)) {
    const run = await readRunFile(join(parent, name, "home-1"));
    if (run !== undefined) return run.pid;
  }
}
