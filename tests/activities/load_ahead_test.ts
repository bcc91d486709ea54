import assert from "node:assert/strict";
import { ReadAhead } from "../../activities/read_ahead.ts";
import type { IngestFileInput } from "../../domain/ingest_api.ts";
import { waitFor } from "../harness.ts";

function file(path: string, changes: Partial<IngestFileInput["identity"]> = {}): IngestFileInput {
  return {
    feed: "shop_events",
    inboxId: "inbox",
    identity: { path, ino: 1, sizeBytes: 2, mtimeMs: 3, ctimeMs: 4, ...changes },
    discoveredAt: "2026-01-01T00:00:00.000Z",
    closedAt: null,
    shortWay: true,
    settings: {
      heartbeatTimeoutMs: 1,
      chunksPerSpan: 1,
      maxRetryIntervalMs: 1,
      searchAttributes: false,
    },
  };
}

Deno.test("ReadAhead hands one file over, once", async () => {
  const ahead = new ReadAhead<string>();
  const begun: string[] = [];
  const make = (name: string) => () => {
    begun.push(name);
    return Promise.resolve(name);
  };
  ahead.begin(file("/a"), make("a"));
  ahead.begin(file("/b"), make("b"));
  assert.deepEqual(begun, [], "behind what is being sent");
  for (
    const other of [
      file("/b"),
      file("/a", { sizeBytes: 9 }),
      file("/a", { ctimeMs: 9 }),
      { ...file("/a"), discoveredAt: "2026-01-01T00:00:01.000Z" },
    ]
  ) {
    assert.equal(await ahead.take(other), undefined);
  }
  assert.equal(await ahead.take(structuredClone(file("/a"))), "a");
  assert.equal(await ahead.take(file("/a")), undefined);
  assert.deepEqual(begun, ["a"]);
});

Deno.test("ReadAhead tells what it found from what it did not look for", async () => {
  const ahead = new ReadAhead<string | null>();
  ahead.begin(file("/a"), () => Promise.resolve(null));
  assert.equal(await ahead.take(file("/a")), null);
  assert.equal(await ahead.take(file("/a")), undefined);
});

Deno.test("ReadAhead forgets a file that nobody takes", async () => {
  const ahead = new ReadAhead<string>();
  ahead.begin(file("/a"), () => Promise.resolve("a"));
  await waitFor(async () => {
    ahead.begin(file("/b"), () => Promise.resolve("b"));
    return await ahead.take(file("/b")) === "b";
  }, { what: "the turn of another file" });
  assert.equal(await ahead.take(file("/a")), undefined);
});

Deno.test("ReadAhead leaves failures to whoever loads the file", async () => {
  const ahead = new ReadAhead<string>();
  ahead.begin(file("/a"), () => Promise.reject(new Error("away")));
  assert.equal(await ahead.take(file("/a")), undefined);
  ahead.begin(file("/b"), () => {
    throw new Error("away at once");
  });
  assert.equal(await ahead.take(file("/b")), undefined);
});
