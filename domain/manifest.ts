import { z } from "zod";

/** What a producer says of one of its files; at least one of the three. */
export interface Manifest {
  /** Records behind the header. */
  rows: number | null;
  /** Sum of price times quantity, decimal text. */
  amount: string | null;
  /** Of the bytes as they lie on disk, hex in lower case. */
  sha256: string | null;
}

const SUFFIX = ".manifest.json";

const MANIFEST = z.strictObject({
  rows: z.int().min(0).max(1e12).optional(),
  // A number in JSON may have been rounded by whoever wrote it: text keeps its digits.
  amount: z.union([z.string().regex(/^-?\d{1,17}(\.\d{1,2})?$/), z.number()]).optional(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/i).optional(),
}).refine((manifest) => Object.values(manifest).some((value) => value !== undefined), {
  message: "expected rows, amount or sha256",
});

/**
 * Name of the file that a manifest speaks of: `a.csv` for `a.csv.manifest.json`; undefined for any other name.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * assert.equal(manifestOf("a.csv.manifest.json"), "a.csv");
 * assert.equal(manifestOf("a.csv"), undefined);
 * ```
 */
export function manifestOf(name: string): string | undefined {
  return name.endsWith(SUFFIX) && !/^[._]/.test(name) && name.length > SUFFIX.length
    ? name.slice(0, -SUFFIX.length)
    : undefined;
}

/**
 * Reads a manifest.
 *
 * @param text JSON: `rows`, `amount` (sum of price times quantity, best as text) and `sha256`, all optional but one.
 * @returns What it says, or why it cannot be read, in words without its values.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * assert.deepEqual(readManifest('{"rows": 2, "amount": "10.50"}'), {
 *   manifest: { rows: 2, amount: "10.50", sha256: null },
 * });
 * assert.deepEqual(readManifest("{}"), { error: "expected rows, amount or sha256" });
 * ```
 */
export function readManifest(text: string): { manifest: Manifest } | { error: string } {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { error: "it is no JSON" };
  }
  const parsed = MANIFEST.safeParse(value);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const where = issue?.path.length ? `${issue.path.join(".")}: ` : "";
    return { error: `${where}${issue?.message ?? "unexpected"}` };
  }
  const { rows = null, amount, sha256 } = parsed.data;
  return {
    manifest: {
      rows,
      amount: amount === undefined ? null : typeof amount === "number" ? amount.toFixed(2) : amount,
      sha256: sha256?.toLowerCase() ?? null,
    },
  };
}
