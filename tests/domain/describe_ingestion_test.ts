import assert from "node:assert/strict";
import { describeIngestion } from "../../domain/describe_ingestion.ts";

function describePath(path: string, sizeBytes = 1): { summary: string; details: string } {
  return describeIngestion({
    feed: "shop_events",
    inboxId: "i",
    identity: { path, ino: 1, sizeBytes, mtimeMs: 0, ctimeMs: 0 },
    discoveredAt: "2026-01-01T00:00:00.000Z",
    closedAt: null,
    shortWay: false,
    settings: {
      heartbeatTimeoutMs: 10_000,
      chunksPerSpan: 16,
      maxRetryIntervalMs: 5_000,
      searchAttributes: true,
    },
  });
}

for (const character of ["a", "é", "日", "😀"]) {
  Deno.test({
    name: `describeIngestion() keeps a summary of many ${character} within 200 bytes`,
    permissions: "none",
    fn() {
      const { summary } = describePath(`/in/${character.repeat(240)}.csv`);
      assert.ok(new TextEncoder().encode(summary).length <= 200);
      assert.match(summary, /· 1 B · shop_events$/);
      assert.ok(summary.isWellFormed());
    },
  });
}

Deno.test({
  name: "describeIngestion() cannot be led out of its line or code span by a name",
  permissions: "none",
  fn() {
    const { summary, details } = describePath("/in/a`b\n# c\u202e.csv");
    assert.equal(summary.split("\n").length, 1);
    assert.ok(details.startsWith("- file `/in/a_b_# c_.csv`\n"));
  },
});

Deno.test({
  name: "describeIngestion() rounds sizes for people",
  permissions: "none",
  fn() {
    assert.match(describePath("/in/a.csv", 1_234_567).summary, /· 1.2 MiB ·/);
    assert.match(describePath("/in/a.csv", 700 * 1024).summary, /· 700 KiB ·/);
  },
});
