import { join } from "node:path";
import type { Source } from "./collect_sources.ts";

/** A copy that has landed; a name may land again, an inode tells which one it is. */
export interface LandedCopy {
  readonly source: Source;
  /** Differs from the source's when that name was taken. */
  readonly name: string;
  readonly ino: number;
}

/**
 * Copies a file into the inbox, whole or not at all. The copy is written under a hidden name and linked,
 * because a link never takes the place of a file that lies there unread, as a rename would; the watcher
 * takes it up once it has not changed for the settle time.
 */
export async function copyIntoInbox(inbox: string, source: Source): Promise<LandedCopy> {
  const hidden = join(inbox, `.${crypto.randomUUID()}.part`);
  try {
    await Deno.copyFile(source.path, hidden);
    using file = await Deno.open(hidden);
    await file.sync();
    const { ino } = await file.stat();
    if (ino === null) throw new Error(`Cannot ingest into ${inbox}: its file system has no inodes`);
    return { source, ino, name: await linkUnderFreeName(hidden, inbox, source.name) };
  } finally {
    await Deno.remove(hidden).catch(() => {});
  }
}

async function linkUnderFreeName(hidden: string, inbox: string, wanted: string): Promise<string> {
  for (let attempt = 1;; attempt++) {
    const name = attempt === 1
      ? wanted
      : wanted.replace(/(?=\.[^.]+(\.gz|\.zst)?$)/i, `~${attempt}`);
    try {
      await Deno.link(hidden, join(inbox, name));
      return name;
    } catch (error) {
      if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
    }
  }
}
