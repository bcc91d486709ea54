/**
 * Writes a file that only its owner can read; readers see the old text or the new, never a part.
 */
export async function writeJsonFile(path: string, value: unknown): Promise<void> {
  const temporary = `${path}.${crypto.randomUUID()}.tmp`;
  await Deno.writeTextFile(temporary, JSON.stringify(value, null, 2) + "\n", { mode: 0o600 });
  await Deno.rename(temporary, path);
}

/** @returns undefined when the file is missing or is not JSON */
export async function readJsonFile<Value>(path: string): Promise<Value | undefined> {
  try {
    return JSON.parse(await Deno.readTextFile(path)) as Value;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof SyntaxError) return undefined;
    throw error;
  }
}
