import { fileNameOf } from "./file_name_of.ts";
import type { IngestFileInput } from "./ingest_api.ts";
import { printableName } from "./workflow_ids.ts";

/** The server refuses a longer summary. */
const MAX_SUMMARY_BYTES = 200;
/** Of the path in the details; the server takes 20 KB. */
const MAX_PATH_CHARACTERS = 4_096;

/**
 * What Temporal's Web UI shows of an ingestion from its start: a line, and a page in Markdown.
 *
 * @param input What the workflow is started with.
 * @returns `summary` of at most 200 bytes, and `details`.
 *
 * @example
 * ```ts
 * import { describeIngestion } from "./describe_ingestion.ts";
 * import assert from "node:assert/strict";
 * const { summary } = describeIngestion({
 *   feed: "shop_events",
 *   inboxId: "0e8dfd64",
 *   identity: { path: "/in/a.csv", ino: 1, sizeBytes: 2048, mtimeMs: 0, ctimeMs: 0 },
 *   discoveredAt: "2026-01-01T00:00:00.000Z",
 *   closedAt: null,
 *   shortWay: true,
 *   settings: { heartbeatTimeoutMs: 1, chunksPerSpan: 1, maxRetryIntervalMs: 1, searchAttributes: true },
 * });
 * assert.equal(summary, "a.csv · 2 KiB · shop_events");
 * ```
 */
export function describeIngestion(input: IngestFileInput): { summary: string; details: string } {
  const { feed, identity, discoveredAt, closedAt, shortWay, settings, fileId } = input;
  const { path, sizeBytes } = identity;
  const name = printableName(fileNameOf(path));
  const tail = ` · ${readableBytes(sizeBytes)} · ${feed}`;
  const way = shortWay
    ? "one activity inspects, loads and settles it"
    : `inspect, load ${settings.chunksPerSpan} chunks per activity, settle`;
  const details = [
    `- file \`${printablePath(path)}\`${fileId === undefined ? "" : ` (file ${fileId})`}`,
    `- feed ${feed}, ${sizeBytes} bytes, inode ${identity.ino}`,
    `- discovered ${discoveredAt}${closedAt === null ? "" : `, complete since ${closedAt}`}`,
    `- way: ${way}`,
    `- taken over when silent for ${
      settings.heartbeatTimeoutMs / 1000
    } s, retried at least every ` +
    `${settings.maxRetryIntervalMs / 1000} s`,
  ];
  return {
    summary: cutToBytes(name, MAX_SUMMARY_BYTES - byteLength(tail)) + tail,
    details: details.join("\n"),
  };
}

function readableBytes(bytes: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let value = bytes;
  let unit = 0;
  for (; value >= 1024 && unit < units.length - 1; unit++) value /= 1024;
  return `${unit === 0 || value >= 100 ? Math.round(value) : Number(value.toFixed(1))} ${
    units[unit]
  }`;
}

/** Safe inside a code span. */
function printablePath(path: string): string {
  const printable = path.replace(/[\p{C}\p{Zl}\p{Zp}`]/gu, "_");
  return Array.from(printable).slice(0, MAX_PATH_CHARACTERS).join("");
}

function cutToBytes(text: string, maxBytes: number): string {
  if (byteLength(text) <= maxBytes) return text;
  const characters = Array.from(text);
  const ellipsis = "…";
  let length = byteLength(ellipsis);
  const kept: string[] = [];
  for (const character of characters) {
    length += byteLength(character);
    if (length > maxBytes) break;
    kept.push(character);
  }
  return kept.join("") + ellipsis;
}

function byteLength(text: string): number {
  return new TextEncoder().encode(text).length;
}
