import type { Sql } from "../../activities/database.ts";
import { type FileProgress, fileProgress } from "../statements/file_progress.ts";

const POLL_MS = 150;

/** Waits until nothing remains to be done about a file, for as long as that takes. */
export async function waitUntilSettled(sql: Sql, fileId: number): Promise<FileProgress> {
  while (true) {
    const [file] = await fileProgress(sql, { fileIds: [fileId] });
    if (file?.settled) return file;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
