import assert from "node:assert/strict";
import { join } from "node:path";
import { NativeConnection } from "@temporalio/worker";
import { SEARCH_ATTRIBUTES } from "../../../domain/search_attributes.ts";
import { findFreePort } from "../../../scripts/services/require_free_port.ts";
import {
  readAttributes,
  registerSearchAttributes,
} from "../../../scripts/services/search_attributes.ts";
import { startTemporal } from "../../../scripts/services/temporal.ts";
import { devServerTarget, readTemporalTarget } from "../../../scripts/services/temporal_target.ts";
import { readConfig } from "../../../scripts/config.ts";
import { tempDir } from "../../harness.ts";

function start(home: string, port = findFreePort()) {
  const { cache } = readConfig();
  return startTemporal({ home, cache, port, uiPort: findFreePort(), progress: () => {} });
}

Deno.test("startTemporal() serves, shows its Web UI and knows the search attributes", async () => {
  await using home = await tempDir();
  const server = await start(home.path);
  try {
    const page = await fetch(server.webUiUrl);
    assert.equal(page.status, 200);
    await page.body?.cancel();
    const connection = await NativeConnection.connect({ address: server.address });
    const { missing } = await readAttributes(connection, "default");
    await connection.close();
    assert.deepEqual(missing, []);
    assert.deepEqual(await registerSearchAttributes(devServerTarget(server.address)), []);
  } finally {
    await server.stop();
  }
  assert.ok((await Deno.stat(join(home.path, "temporal/temporal.db"))).isFile);
});

Deno.test("registerSearchAttributes() adds what a server lacks", async () => {
  await using home = await tempDir();
  const server = await start(home.path);
  try {
    const connection = await NativeConnection.connect({ address: server.address });
    await connection.operatorService.removeSearchAttributes({
      namespace: "default",
      searchAttributes: ["Rejected", "Feed"],
    });
    const added = await registerSearchAttributes(devServerTarget(server.address));
    assert.deepEqual(added.sort(), ["Feed", "Rejected"]);
    const { present } = await readAttributes(connection, "default");
    assert.deepEqual(present.sort(), Object.keys(SEARCH_ATTRIBUTES).sort());
    await connection.close();
  } finally {
    await server.stop();
  }
});

Deno.test("startTemporal() names a taken port and the setting that changes it", async () => {
  await using home = await tempDir();
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  await assert.rejects(
    start(home.path, port),
    new RegExp(`127.0.0.1:${port}: the port is taken; .*CLICKLEDGER_TEMPORAL_PORT`),
  );
});

Deno.test("startTemporal() shows the end of the log when the server cannot start", async () => {
  await using home = await tempDir();
  await Deno.mkdir(join(home.path, "temporal/temporal.db"), { recursive: true });
  await assert.rejects(start(home.path), /Cannot start Temporal: it ended.*\n.*/);
});

Deno.test("readTemporalTarget() follows the standard variables only when one names a server", () => {
  const read = (env: Record<string, string>) => readTemporalTarget(readConfig(env));
  assert.equal(read({}), undefined);
  assert.equal(read({ TEMPORAL_NAMESPACE: "shop" }), undefined);
  assert.deepEqual(read({ TEMPORAL_ADDRESS: "host:7233" }), {
    namespace: "default",
    connectionOptions: { address: "host:7233" },
  });
  const cloud = read({
    TEMPORAL_ADDRESS: "host:7233",
    TEMPORAL_NAMESPACE: "shop",
    TEMPORAL_API_KEY: "key",
  });
  assert.equal(cloud?.namespace, "shop");
  assert.equal(cloud?.connectionOptions.apiKey, "key");
  assert.equal(cloud?.connectionOptions.tls, true);
});
