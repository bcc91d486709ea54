/// <reference lib="deno.worker" />
import { errorCode } from "../../activities/file_identity.ts";
import { type Move, moveFile } from "../../activities/move_file.ts";

/** Moves a file as soon as all threads are about to, and tells the outcome, or the code of the error. */
self.onmessage = async ({ data }: MessageEvent<{ move: Move; waiting: Int32Array }>) => {
  const { move, waiting } = data;
  Atomics.sub(waiting, 0, 1);
  while (Atomics.load(waiting, 0) > 0);
  self.postMessage(await moveFile(move).catch((error) => errorCode(error) ?? String(error)));
};
