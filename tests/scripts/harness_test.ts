import assert from "node:assert/strict";
import { testDatabase, testTemporal, waitFor } from "../harness.ts";
import { NativeConnection } from "@temporalio/worker";

Deno.test("testDatabase() gives each caller a migrated database of its own", async () => {
  await using first = await testDatabase();
  await using second = await testDatabase();
  assert.notEqual(first.url, second.url);
  await first.sql`create table public.only_here ()`;
  const [migrations] = await second.sql`select count(*)::int as count from ingest.migrations`;
  assert.ok(migrations?.count > 0);
  const [other] = await second.sql`select to_regclass('public.only_here') as name`;
  assert.equal(other?.name, null);
});

Deno.test("testTemporal() gives the address of a server that serves", async () => {
  const connection = await NativeConnection.connect({ address: await testTemporal() });
  await connection.workflowService.describeNamespace({ namespace: "default" });
  await connection.close();
});

Deno.test("waitFor() says what did not happen", async () => {
  await assert.rejects(
    waitFor(() => false, { timeoutMs: 30, what: "the impossible" }),
    /waited 30 ms for the impossible/,
  );
});
