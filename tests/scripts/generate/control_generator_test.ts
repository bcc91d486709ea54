import { Client } from "@temporalio/client";
import { NativeConnection } from "@temporalio/worker";
import assert from "node:assert/strict";
import { TaskError, UsageError } from "../../../scripts/cli/failures.ts";
import {
  commandGenerator,
  endGenerator,
  generatorHandle,
  start,
  startOrSteer,
} from "../../../scripts/generate/control_generator.ts";
import { tempDir, testTemporal } from "../../harness.ts";

Deno.test("start(), commandGenerator() and endGenerator() say what cannot be done", async () => {
  await using directory = await tempDir();
  // Not the client package's own connection: over Deno's HTTP/2 it ends the process when a server closes it.
  const connection = await NativeConnection.connect({ address: await testTemporal() });
  const host = {
    client: new Client({ connection }),
    inbox: directory.path,
    inboxId: crypto.randomUUID(),
  };
  try {
    assert.equal(await endGenerator(host), undefined);
    await assert.rejects(commandGenerator(host, "stop"), {
      name: TaskError.name,
      message: "Cannot stop the generator: none runs; `deno task generate` starts one",
    });
    await assert.rejects(startOrSteer(host, { interval: { minMs: 3_000, maxMs: 1_000 } }), {
      name: UsageError.name,
      message: /^Cannot wait 3000\.\.1000 ms between files: .* shortest first$/,
    });
    await start(host, {});
    await assert.rejects(start(host, {}), {
      name: TaskError.name,
      message: /^Cannot start the generator: one is still ending; try again/,
    });
    await generatorHandle(host).terminate();
    assert.equal(await endGenerator(host), undefined);
  } finally {
    await connection.close();
  }
});
