import { deepEqual, equal, rejects } from "node:assert/strict";
import { type FileHandle, open } from "node:fs/promises";
import { planFile } from "../../activities/plan_file.ts";
import { ChunkPlanner } from "../../domain/plan_chunks.ts";

const CHUNK_BYTES = 300_000;
/** Of several reads; a read ends within most kinds of lines. */
const BYTES = new TextEncoder().encode(
  "id,name\r\n" + '1,"Chair, red"\r\n2,"De\nsk"\n\n3,"a ""lamp"""\n'.repeat(40_000) + "4,Bed",
);

Deno.test({
  name: "planFile() plans a file as if it were one block, and tells of each read",
  async fn() {
    await withFile(async (handle) => {
      const told: number[] = [];
      const onProgress = (bytes: number) => told.push(bytes);
      const plan = await planFile(handle, { chunkBytes: CHUNK_BYTES, onProgress });
      const planner = new ChunkPlanner({ chunkBytes: CHUNK_BYTES });
      await planner.push(BYTES);
      deepEqual(plan, await planner.end());
      deepEqual(told, [...new Set(told)].sort((a, b) => a - b));
      equal(told.at(-1), BYTES.length);
    });
  },
});

Deno.test({
  name: "planFile() leaves no read under way when it is stopped",
  async fn() {
    await withFile(async (handle) => {
      const onProgress = () => {
        throw new Error("stopped");
      };
      let underWay = 0;
      const read = async (...args: [Uint8Array, number, number, number]) => {
        underWay++;
        return await handle.read(...args).finally(() => underWay--);
      };
      const counting = { read } as unknown as FileHandle;
      await rejects(planFile(counting, { chunkBytes: CHUNK_BYTES, onProgress }), /stopped/);
      equal(underWay, 0);
    });
  },
});

async function withFile(work: (handle: FileHandle) => Promise<void>) {
  const path = await Deno.makeTempFile();
  try {
    await Deno.writeFile(path, BYTES);
    const handle = await open(path);
    try {
      await work(handle);
    } finally {
      await handle.close();
    }
  } finally {
    await Deno.remove(path);
  }
}
