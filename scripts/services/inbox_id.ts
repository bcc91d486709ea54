import { join } from "node:path";

const FILE_NAME = ".clickledger-inbox";
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/**
 * The id of an inbox, kept in its `.clickledger-inbox` and made by whoever reads it first. Of
 * several first readers one makes it and all get the same.
 *
 * @param inbox directory, which must exist to make an id
 * @param options.create false: an inbox without an id stays as it is
 * @returns UUID in lower case
 * @throws when the file holds something else
 */
export async function readInboxId(inbox: string): Promise<string>;
export async function readInboxId(
  inbox: string,
  options: { create: false },
): Promise<string | undefined>;
export async function readInboxId(
  inbox: string,
  { create = true }: { create?: boolean } = {},
): Promise<string | undefined> {
  const path = join(inbox, FILE_NAME);
  const existing = await readIfPresent(path);
  if (existing !== undefined) return checked(existing, path);
  if (!create) return undefined;
  // Linked into place, not written there: nobody reads an id that is only half written.
  const temporary = join(inbox, `${FILE_NAME}.${crypto.randomUUID()}.tmp`);
  await Deno.writeTextFile(temporary, `${crypto.randomUUID()}\n`, { createNew: true });
  try {
    await Deno.link(temporary, path);
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
  } finally {
    await Deno.remove(temporary);
  }
  return checked(await Deno.readTextFile(path), path);
}

async function readIfPresent(path: string): Promise<string | undefined> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

function checked(text: string, path: string): string {
  const id = text.trim().toLowerCase();
  if (UUID.test(id)) return id;
  throw new Error(
    `Cannot read inbox id from ${path}: expected a UUID; restore the file, or remove it to make ` +
      "this a new inbox (files loaded from it stay under the old id)",
  );
}
