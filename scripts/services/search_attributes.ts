import type { NativeConnection } from "@temporalio/worker";
import { SEARCH_ATTRIBUTES } from "../../domain/search_attributes.ts";
import type { TemporalTarget } from "./temporal_target.ts";

/** Name of one of {@linkcode SEARCH_ATTRIBUTES}. */
export type SearchAttributeName = keyof typeof SEARCH_ATTRIBUTES;

const NAMES = Object.keys(SEARCH_ATTRIBUTES) as SearchAttributeName[];

/** Types as the command line of the Temporal CLI spells them, and their numbers in its API. */
const TYPES = {
  KEYWORD: { cli: "Keyword", number: 2 },
  INT: { cli: "Int", number: 3 },
} as const;

/** Names and types for the command line of the Temporal CLI, such as `["Feed", "Keyword"]`. */
export function searchAttributeTypes(): [name: SearchAttributeName, type: string][] {
  return NAMES.map((name) => [name, TYPES[SEARCH_ATTRIBUTES[name]].cli]);
}

/** @param listed answer of the server's method ListSearchAttributes */
export function missingSearchAttributes(
  listed: { customAttributes?: Record<string, unknown> | null },
): SearchAttributeName[] {
  return NAMES.filter((name) => !Object.hasOwn(listed.customAttributes ?? {}, name));
}

/**
 * Registers the search attributes that a server lacks, over the SDK's native connection: the
 * command has set up the SDK's runtime before (`install_runtime.ts`).
 *
 * @returns names that were added now
 * @throws when the server does not let this client change its namespace, as Temporal Cloud does
 */
export async function registerSearchAttributes(
  target: TemporalTarget,
): Promise<SearchAttributeName[]> {
  const { namespace, connectionOptions } = target;
  // Only here: it is native code, which a process that is confined to a permission set may not load.
  const { NativeConnection } = await import("@temporalio/worker");
  const connection = await NativeConnection.connect(connectionOptions);
  try {
    const { missing } = await readAttributes(connection, namespace);
    if (missing.length === 0) return [];
    const types = missing.map((name) => [name, TYPES[SEARCH_ATTRIBUTES[name]].number]);
    await connection.operatorService.addSearchAttributes({
      namespace,
      searchAttributes: Object.fromEntries(types),
    });
    return missing;
  } finally {
    await connection.close();
  }
}

/**
 * Which of the search attributes a server has; a start that sets another one fails.
 *
 * @param connection open native connection to the server
 * @throws when the server does not list them
 */
export async function readAttributes(
  { operatorService }: Pick<NativeConnection, "operatorService">,
  namespace: string,
): Promise<{ present: SearchAttributeName[]; missing: SearchAttributeName[] }> {
  const missing = missingSearchAttributes(
    await operatorService.listSearchAttributes({ namespace }),
  );
  return { present: NAMES.filter((name) => !missing.includes(name)), missing };
}
