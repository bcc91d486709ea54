import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { gunzipSync } from "node:zlib";
import { parse } from "csv-parse/sync";
import { parseFileName } from "../../domain/generator/file_name.ts";
import { readFaultShares } from "../../domain/generator/fault_shares.ts";
import { SHOP_EVENTS } from "../../domain/shop_events.ts";
import { type BulkProgress, generateBulk } from "../../scripts/generate_bulk.ts";

function inDirectory(name: string, run: (directory: string) => Promise<void>): void {
  Deno.test(name, async () => {
    const directory = await Deno.makeTempDir({ prefix: "generate-bulk-" });
    try {
      await run(directory);
    } finally {
      await Deno.remove(directory, { recursive: true });
    }
  });
}

async function readRows(path: string): Promise<string[][]> {
  const bytes = await readFile(path);
  const [header, ...rows] = parse(path.endsWith(".gz") ? gunzipSync(bytes) : bytes) as string[][];
  assert.deepEqual(header, SHOP_EVENTS.columns.map(({ name }) => name));
  return rows;
}

inDirectory(
  "generateBulk() writes exactly the rows asked for, in even files",
  async (directory) => {
    const { paths, rows } = await generateBulk({ directory, rows: 10_001, files: 3 });
    assert.equal(rows, 10_001);
    assert.deepEqual((await readdir(directory)).toSorted(), paths.map((path) => basename(path)));
    assert.deepEqual(paths.map((path) => parseFileName(basename(path))?.sequence), [0, 1, 2]);
    const written = await Promise.all(paths.map(readRows));
    assert.deepEqual(written.map(({ length }) => length), [3333, 3334, 3334]);
    const times = written.flat().map(([, time]) => time!);
    assert.deepEqual(times, times.toSorted());
    assert.equal(new Set(written.flat().map(([eventId]) => eventId)).size, 10_001);
  },
);

inDirectory("generateBulk() writes the same bytes for the same seed", async (directory) => {
  const hashes: string[] = [];
  for (const [run, seed] of [7, 7, 8].entries()) {
    const { paths } = await generateBulk({
      directory: join(directory, `${run}`),
      rows: 5000,
      seed,
    });
    hashes.push(createHash("sha256").update(await readFile(paths[0]!)).digest("hex"));
  }
  assert.equal(hashes[0], hashes[1]);
  assert.notEqual(hashes[0], hashes[2]);
});

inDirectory("generateBulk() writes the same rows compressed", async (directory) => {
  const plain = await generateBulk({ directory, rows: 5000 });
  const packed = await generateBulk({ directory, rows: 5000, gzip: true });
  assert.ok(packed.paths[0]!.endsWith(".csv.gz"));
  assert.deepEqual(await readRows(packed.paths[0]!), await readRows(plain.paths[0]!));
});

for (const gzip of [false, true]) {
  inDirectory(
    `generateBulk() leaves whole files when aborted${gzip ? " (gzip)" : ""}`,
    async (directory) => {
      const controller = new AbortController();
      const onProgress = ({ rows, totalRows }: BulkProgress) => {
        if (rows > totalRows / 4) controller.abort(new Error("Cannot go on: stopped by a person"));
      };
      const run = generateBulk({
        ...{ directory, rows: 600_000, files: 6, gzip, onProgress },
        signal: controller.signal,
      });
      await assert.rejects(run, /stopped by a person/);
      const names = (await readdir(directory)).toSorted();
      assert.ok(names.length >= 1 && names.length < 6, String(names));
      for (const name of names) {
        assert.ok(parseFileName(name) !== undefined, name);
        assert.equal((await readRows(join(directory, name))).length, 100_000);
      }
    },
  );
}

inDirectory("generateBulk() overwrites nothing", async (directory) => {
  const { paths } = await generateBulk({ directory, rows: 100, seed: 1 });
  const before = await readFile(paths[0]!);
  await assert.rejects(generateBulk({ directory, rows: 100, seed: 2 }), /it exists/);
  assert.deepEqual(await readFile(paths[0]!), before);
});

inDirectory("generateBulk() plants faults, in the same files each time", async (directory) => {
  const faults = readFaultShares("0.3");
  const hashes: string[] = [];
  for (const run of ["one", "other"]) {
    const out = join(directory, run);
    const { rows } = await generateBulk({ directory: out, rows: 3000, files: 8, seed: 2, faults });
    assert.equal(rows, 3000);
    const names = (await readdir(out)).toSorted();
    const truth = await readTruth(`${out}.truth`);
    const copies = truth.filter(({ kind }) => kind === "renamed_copy");
    assert.equal(names.length, 8 + copies.length);
    const texts = await Promise.all(names.map((name) => readFile(join(out, name), "latin1")));
    for (const { file, line, event_id } of truth.filter(({ kind }) => kind === "late_event")) {
      const text = texts[names.indexOf(file)]!.split("\n")[line! - 1]!;
      assert.ok(text.startsWith(event_id!), `${file}:${line}`);
    }
    const ids = texts.filter((_, index) => !names[index]!.startsWith("copy-of-"))
      .flatMap((text) => text.match(/^[0-9a-f-]{36}(?=,)/gm) ?? []);
    const twice = truth.filter(({ kind }) => /^(duplicate|conflicting)_event$/.test(kind)).length;
    const noId = truth.filter(({ kind, column }) => kind === "bad_value" && column === "event_id");
    assert.equal(ids.length, 3000 + twice - noId.length);
    hashes.push(createHash("sha256").update(texts.join("") + JSON.stringify(truth)).digest("hex"));
  }
  assert.equal(hashes[0], hashes[1]);
});

interface TruthLine {
  file: string;
  line: number | null;
  kind: string;
  column?: string;
  event_id: string | null;
}

async function readTruth(directory: string): Promise<TruthLine[]> {
  const names = (await readdir(directory)).toSorted();
  const texts = await Promise.all(names.map((name) => readFile(join(directory, name), "utf8")));
  return texts.flatMap((text) => text.trimEnd().split("\n").map((line) => JSON.parse(line)));
}

inDirectory("generateBulk() says how far it is", async (directory) => {
  const seen: BulkProgress[] = [];
  await generateBulk({ directory, rows: 300_000, onProgress: (progress) => seen.push(progress) });
  assert.ok(seen.length >= 2);
  const last = seen.at(-1)!;
  assert.deepEqual([last.rows, last.totalRows, last.remainingMs], [300_000, 300_000, 0]);
  assert.ok(last.bytes > 50_000_000 && last.rowsPerSecond > 0);
  const first = seen[0]!;
  assert.ok(first.rows < 300_000 && first.remainingMs > 0 && first.remainingMs < Infinity);
});
