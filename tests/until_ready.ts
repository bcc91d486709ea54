import assert from "node:assert/strict";
import { waitFor } from "./harness.ts";

/**
 * Waits until a process says on stderr that it is ready. Disposing it ends it as Docker or a terminal would, and demands
 * that it ends well.
 *
 * @param child With its outputs piped.
 * @param ready What it says.
 */
export async function untilReady(
  child: Deno.ChildProcess,
  { what, ready }: { what: string; ready: RegExp },
): Promise<AsyncDisposable> {
  let output = "";
  const reading = (async () => {
    for await (const text of child.stderr.pipeThrough(new TextDecoderStream())) output += text;
  })();
  await child.stdout.cancel();
  let hasEnded = false;
  child.status.then(() => hasEnded = true);
  await waitFor(() => hasEnded || ready.test(output), {
    what: `${what} to be ready`,
    timeoutMs: 60_000,
  });
  assert.ok(!hasEnded, output);
  return {
    async [Symbol.asyncDispose]() {
      child.kill("SIGTERM");
      assert.equal((await child.status).code, 0, output);
      await reading;
    },
  };
}
