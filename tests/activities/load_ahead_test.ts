import assert from "node:assert/strict";
import { LetGo, LoadAhead } from "../../activities/load_ahead.ts";
import type { IngestFileInput } from "../../domain/ingest_api.ts";

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

/** Lets a load that was begun come to what it waits for. */
const turnOfOthers = async () => {
  for (const _ of [1, 2]) await new Promise((resolve) => setImmediate(resolve));
};

Deno.test("LoadAhead hands one file over, once, and goes on with what it is told", async () => {
  const ahead = new LoadAhead<number, string>();
  const begun: string[] = [];
  const load = (name: string) => async (turn: Promise<number>) => {
    begun.push(name);
    return `${name}${await turn}`;
  };
  ahead.begin("w", file("/a"), load("a"));
  ahead.begin("another workflow", file("/b"), load("b"));
  ahead.letGo("another workflow");
  assert.deepEqual(begun, [], "behind what is being sent");
  await turnOfOthers();
  assert.deepEqual(begun, ["a"]);
  for (
    const other of [
      file("/b"),
      file("/a", { sizeBytes: 9 }),
      file("/a", { ctimeMs: 9 }),
      { ...file("/a"), discoveredAt: "2026-01-01T00:00:01.000Z" },
    ]
  ) {
    assert.equal(ahead.take("w", other, 0), undefined);
  }
  assert.equal(ahead.take("another workflow", file("/a"), 0), undefined);
  assert.equal(await ahead.take("w", structuredClone(file("/a")), 7), "a7");
  assert.equal(ahead.take("w", file("/a"), 8), undefined);
  assert.deepEqual(begun, ["a"]);
});

Deno.test("LoadAhead hands over what did not wait for its turn", async () => {
  const ahead = new LoadAhead<number, string | null>();
  ahead.begin("w", file("/a"), () => Promise.resolve(null));
  await turnOfOthers();
  assert.equal(await ahead.take("w", file("/a"), 1), null);
  assert.equal(ahead.take("w", file("/a"), 1), undefined);
});

Deno.test("LoadAhead lets go of a file, unless it was taken", async () => {
  const ahead = new LoadAhead<number, number>();
  const ends: unknown[] = [];
  const load = async (turn: Promise<number>) => {
    try {
      return await turn;
    } catch (reason) {
      ends.push(reason);
      throw reason;
    }
  };
  ahead.begin("v", file("/a"), load);
  await turnOfOthers();
  ahead.letGo("v");
  assert.equal(ahead.take("v", file("/a"), 1), undefined);
  await turnOfOthers();
  ahead.begin("w", file("/b"), load);
  ahead.letGo("v");
  const taken = ahead.take("w", file("/b"), 2);
  ahead.letGo("w");
  assert.equal(await taken, 2);
  assert.equal(ends.length, 1);
  assert.ok(ends[0] instanceof LetGo);
});

Deno.test("LoadAhead begins with no other file until the one before has ended", async () => {
  const ahead = new LoadAhead<number, number>();
  const gate = Promise.withResolvers<void>();
  const checked: unknown[] = [];
  const slow = async (turn: Promise<number>, check: () => void) => {
    await gate.promise;
    try {
      check();
    } catch (reason) {
      checked.push(reason);
    }
    return await turn;
  };
  ahead.begin("v", file("/a"), slow);
  await turnOfOthers();
  ahead.letGo("v");
  const begun: string[] = [];
  const begin = () =>
    ahead.begin("w", file("/b"), (turn) => {
      begun.push("b");
      return turn;
    });
  begin();
  await turnOfOthers();
  assert.deepEqual(begun, []);
  gate.resolve();
  await turnOfOthers();
  assert.ok(checked[0] instanceof LetGo);
  begin();
  const taken = ahead.take("w", file("/b"), 2);
  begin();
  assert.equal(await taken, 2);
  assert.deepEqual(begun, ["b"]);
});

Deno.test("LoadAhead lets go of a file that nobody takes", async () => {
  const ahead = new LoadAhead<number, number>();
  const end = Promise.withResolvers<unknown>();
  ahead.begin("w", file("/a"), async (turn) => {
    await turn.catch(end.resolve);
    return await turn;
  });
  assert.ok(await end.promise instanceof LetGo);
  assert.equal(ahead.take("w", file("/a"), 1), undefined);
});

Deno.test("LoadAhead leaves a failure to whoever loads the file, and has room for another", async () => {
  const ahead = new LoadAhead<number, string>();
  const failures = [
    () => Promise.reject(new Error("away")),
    () => {
      throw new Error("away at once");
    },
  ];
  for (const fail of failures) {
    ahead.begin("w", file("/a"), fail);
    await turnOfOthers();
    assert.equal(ahead.take("w", file("/a"), 1), undefined);
  }
  ahead.begin("w", file("/b"), () => Promise.resolve("b"));
  assert.equal(await ahead.take("w", file("/b"), 1), "b");
});

Deno.test("LoadAhead tells who has taken a file that it fails", async () => {
  const ahead = new LoadAhead<number, string>();
  ahead.begin("w", file("/a"), async (turn) => {
    throw new Error(`away ${await turn}`);
  });
  await assert.rejects(async () => await ahead.take("w", file("/a"), 1), /away 1/);
});
