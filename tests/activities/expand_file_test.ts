import assert from "node:assert/strict";
import { open } from "node:fs/promises";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { expandFile } from "../../activities/expand_file.ts";
import { tempDir } from "../harness.ts";

const TEXT = "event_id,name\n" + "1,Käse €\n".repeat(50_000);
const UTF8 = new TextEncoder().encode(TEXT);
const GZIP = new Uint8Array(gzipSync(UTF8));
const ZSTD = new Uint8Array(zstdCompressSync(UTF8));
/** Does not compress, so that a cut falls between whole blocks. */
const NOISE = new Uint8Array(zstdCompressSync(crypto.getRandomValues(new Uint8Array(60_000))));
const SKIPPABLE = Uint8Array.of(0x5a, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3);

const CASES: {
  name: string;
  file: string;
  input: Uint8Array;
  output: string | { fault: string } | null;
}[] = [
  { name: "leaves UTF-8 alone", file: "a.csv", input: UTF8, output: null },
  { name: "leaves an empty file alone", file: "a.csv", input: new Uint8Array(), output: null },
  { name: "expands gzip", file: "a.csv.gz", input: GZIP, output: TEXT },
  {
    name: "expands all members of gzip",
    file: "a.csv.gz",
    input: join(GZIP, GZIP),
    output: TEXT + TEXT,
  },
  { name: "expands zstd", file: "a.csv.zst", input: ZSTD, output: TEXT },
  {
    name: "expands all frames of zstd",
    file: "a.csv.zst",
    input: join(ZSTD, SKIPPABLE, ZSTD),
    output: TEXT + TEXT,
  },
  { name: "transcodes UTF-16LE", file: "a.csv", input: utf16(TEXT), output: TEXT },
  {
    name: "transcodes UTF-16 within gzip",
    file: "a.csv.gz",
    input: gzipSync(utf16(TEXT)),
    output: TEXT,
  },
  {
    name: "refuses gzip that was cut",
    file: "a.csv.gz",
    input: GZIP.slice(0, -9),
    output: { fault: "broken_compression" },
  },
  {
    name: "refuses zstd that was cut within a block",
    file: "a.csv.zst",
    input: NOISE.slice(0, 9_000),
    output: { fault: "broken_compression" },
  },
  {
    name: "refuses zstd that was cut between frames",
    file: "a.csv.zst",
    input: join(ZSTD, ZSTD.slice(0, 7)),
    output: { fault: "broken_compression" },
  },
  {
    name: "refuses text named gzip",
    file: "a.csv.gz",
    input: UTF8,
    output: { fault: "broken_compression" },
  },
  {
    name: "refuses text named zstd",
    file: "a.csv.zst",
    input: UTF8,
    output: { fault: "broken_compression" },
  },
  {
    name: "refuses an empty gzip",
    file: "a.csv.gz",
    input: new Uint8Array(),
    output: { fault: "broken_compression" },
  },
  {
    name: "refuses what expands beyond the cap",
    file: "a.csv.gz",
    input: gzipSync(new Uint8Array(3_000_000)),
    output: { fault: "too_large_expanded" },
  },
];

for (const { name, file, input, output } of CASES) {
  Deno.test(`expandFile() ${name}`, async () => {
    await using folder = await tempDir();
    await Deno.writeFile(`${folder.path}/${file}`, input);
    const handle = await open(`${folder.path}/${file}`, "r");
    const target = `${folder.path}/spool/7.csv`;
    try {
      const options = { name: file, target, maxBytes: 2_500_000, onProgress: () => {} };
      const result = await expandFile(handle, options);
      if (typeof output === "string") {
        assert.equal(await Deno.readTextFile(target), output);
        assert.equal(result !== null && "sizeBytes" in result && result.sizeBytes, input.length);
      } else {
        assert.deepEqual(result, output);
        const left = await Array.fromAsync(Deno.readDir(`${folder.path}/spool`)).catch(() => []);
        assert.deepEqual(left, []);
      }
    } finally {
      await handle.close();
    }
  });
}

Deno.test("expandFile() passes on what its caller throws to stop it", async () => {
  await using folder = await tempDir();
  await Deno.writeFile(`${folder.path}/a.csv.gz`, GZIP);
  const handle = await open(`${folder.path}/a.csv.gz`, "r");
  const stop = () => {
    throw new Error("cancelled");
  };
  const options = {
    name: "a.csv.gz",
    target: `${folder.path}/7.csv`,
    maxBytes: 1e9,
    onProgress: stop,
  };
  await assert.rejects(expandFile(handle, options), /^Error: cancelled$/);
  await handle.close();
});

function join(...parts: Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

function utf16(text: string): Uint8Array {
  const units = Uint16Array.from([0xfeff, ...Array.from(text, (char) => char.charCodeAt(0))]);
  return new Uint8Array(units.buffer);
}

Deno.test("expandFile() may run in two attempts at once, which end with the same file", async () => {
  await using folder = await tempDir();
  await Deno.writeFile(`${folder.path}/a.csv.gz`, GZIP);
  const target = `${folder.path}/spool/7.csv`;
  const handle = await open(`${folder.path}/a.csv.gz`, "r");
  try {
    const options = { name: "a.csv.gz", target, maxBytes: 1e9, onProgress: () => {} };
    for (let round = 0; round < 10; round++) {
      const results = await Promise.all([1, 2, 3].map(() => expandFile(handle, options)));
      for (const result of results) assert.ok(result !== null && "sha256" in result);
      assert.equal(await Deno.readTextFile(target), TEXT);
    }
  } finally {
    await handle.close();
  }
});
