import assert from "node:assert/strict";
import { discoveredInput, readSigns, type Sign } from "../../domain/discovery.ts";

const CASES: { name: string; event: Parameters<typeof readSigns>[0]; signs: Sign[] }[] = [
  {
    name: "takes a rename from another directory for landed",
    event: { kind: "rename", paths: ["/in/a.csv"] },
    signs: [{ sign: "landed", name: "a.csv" }],
  },
  {
    name: "takes the second path of a rename for landed",
    event: { kind: "rename", paths: ["/in/a.csv", "/in/z.csv"] },
    signs: [{ sign: "landed", name: "z.csv" }],
  },
  {
    name: "takes the close of a writer for touched only",
    event: { kind: "access", paths: ["/in/a.csv"] },
    signs: [{ sign: "touched", name: "a.csv" }],
  },
  {
    name: "takes a hard link for touched",
    event: { kind: "create", paths: ["/in/a.csv"] },
    signs: [{ sign: "touched", name: "a.csv" }],
  },
  {
    name: "takes an unknown kind for touched",
    event: { kind: "any", paths: ["/in/a.csv", "/in/b.csv"] },
    signs: [{ sign: "touched", name: "a.csv" }, { sign: "touched", name: "b.csv" }],
  },
  {
    name: "ignores a removed file",
    event: { kind: "remove", paths: ["/in/a.csv"] },
    signs: [],
  },
  {
    name: "tells that the directory itself is gone",
    event: { kind: "remove", paths: ["/in"] },
    signs: [{ sign: "directory_gone" }],
  },
  {
    name: "ignores a change of the directory itself",
    event: { kind: "modify", paths: ["/in"] },
    signs: [],
  },
  {
    name: "tells that events were lost",
    event: { kind: "other", paths: [], flag: "rescan" },
    signs: [{ sign: "rescan" }],
  },
  {
    name: "survives a rename without paths",
    event: { kind: "rename", paths: [] },
    signs: [],
  },
];

for (const { name, event, signs } of CASES) {
  Deno.test({
    name: `readSigns() ${name}`,
    permissions: "none",
    fn: () => assert.deepEqual(readSigns(event, "/in"), signs),
  });
}

const DISCOVERED_AT = Date.UTC(2026, 0, 1);

for (
  const { name, ctimeMs, closedAt } of [
    {
      name: "the change time",
      ctimeMs: DISCOVERED_AT - 1_500.25,
      closedAt: "2025-12-31T23:59:58.499Z",
    },
    {
      name: "the discovery when it lies before",
      ctimeMs: 9e15,
      closedAt: "2026-01-01T00:00:00.000Z",
    },
    { name: "1970 at the earliest", ctimeMs: -1e15, closedAt: "1970-01-01T00:00:00.000Z" },
  ]
) {
  Deno.test({
    name: `discoveredInput() takes for closed ${name}`,
    permissions: "none",
    fn() {
      const input = discoveredInput({
        feed: "shop_events",
        inboxId: "i",
        identity: { path: "/in/a.csv", ino: 1, sizeBytes: 1, mtimeMs: -1e15, ctimeMs },
        discoveredAt: DISCOVERED_AT,
        settings: {
          heartbeatTimeoutMs: 1,
          chunksPerSpan: 1,
          maxRetryIntervalMs: 1,
          searchAttributes: false,
        },
      });
      assert.equal(input.closedAt, closedAt);
      assert.equal(input.discoveredAt, "2026-01-01T00:00:00.000Z");
    },
  });
}
