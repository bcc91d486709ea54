import assert from "node:assert/strict";
import { join } from "node:path";
import { withoutSettings } from "../../scripts/_test_services.ts";
import { projectPath, waitFor } from "../harness.ts";
import { runCommand, startDev, testHome } from "./_commands.ts";

const SHORT = ["--events", "2000", "--seconds", "2"];
const PROVEN = /Generated [\d,]+ events in \d+ files; .*\. Proven: /;

Deno.test("demo --exit proves its own files beside those of a generator that ran before", async () => {
  await using home = await testHome();
  const { env, sql } = home;
  {
    await using _dev = await startDev(env);
    const { code, stderr } = await runCommand("generate", ["--seed", "5"], { env });
    assert.equal(code, 0, stderr);
    await waitFor(async () => {
      const [row] = await sql`select count(*)::int as files from ingest.files`;
      return row?.files > 0;
    }, { what: "a generated file" });
  }
  const { code, stdout, stderr } = await runCommand("demo", [...SHORT, "--exit"], { env });
  assert.equal(code, 0, stderr);
  assert.match(stdout, PROVEN);
  assert.doesNotMatch(stderr, /your files/);
});

Deno.test("demo takes up after a kill while it was live, and leaves the files of others out", async () => {
  await using home = await testHome();
  const { env } = home;
  {
    await using killed = startDemo(env);
    await waitFor(() => /live \d/.test(killed.output()), {
      timeoutMs: 60_000,
      what: "the demo to be live",
    });
  }
  await using demo = startDemo(env, ["--exit", "--seconds", "12"]);
  await waitFor(() => /live \d/.test(demo.output()), {
    timeoutMs: 60_000,
    what: "the next to be live",
  });
  const bulk = join(home.path, "bulk");
  assert.equal((await runCommand("generate", ["--rows", "300", "--out", bulk], { env })).code, 0);
  const ingested = await runCommand("ingest", [bulk], { env });
  assert.equal(ingested.code, 0, ingested.stderr);
  const { code } = await demo.ended;
  assert.equal(code, 0, demo.output());
  assert.match(demo.output(), PROVEN);
  assert.match(demo.output(), /your files: 1 loaded · 0 failed · 0 rejects/);
  assert.doesNotMatch(demo.output(), /landed in part before/);
});

/** A demo in a process of its own; disposing it kills it. */
function startDemo(env: Record<string, string>, args: string[] = []) {
  const script = projectPath("scripts", "demo.ts");
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-check", "-A", script, ...SHORT, ...args],
    cwd: projectPath(),
    clearEnv: true,
    env: { ...withoutSettings(Deno.env.toObject()), NO_COLOR: "1", ...env },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  let output = "";
  const reading = [child.stdout, child.stderr].map(async (stream) => {
    for await (const text of stream.pipeThrough(new TextDecoderStream())) output += text;
  });
  let hasEnded = false;
  const ended = Promise.all([child.status, ...reading]).then(([status]) => {
    hasEnded = true;
    return status;
  });
  return {
    ended,
    output: () => output,
    async [Symbol.asyncDispose]() {
      if (!hasEnded) child.kill("SIGKILL");
      await ended;
    },
  };
}
