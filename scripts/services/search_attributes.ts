import { Connection } from "@temporalio/client";
import { SEARCH_ATTRIBUTES } from "../../domain/search_attributes.ts";
import type { TemporalTarget } from "./temporal_target.ts";

/** Name of one of {@linkcode SEARCH_ATTRIBUTES}. */
export type SearchAttributeName = keyof typeof SEARCH_ATTRIBUTES;

/** Types as the command line of the Temporal CLI spells them, and their numbers in its API. */
const TYPES = {
  KEYWORD: { cli: "Keyword", number: 2 },
  INT: { cli: "Int", number: 3 },
} as const;

/** Arguments for a dev server that is to know the attributes from its first moment. */
export function searchAttributeArguments(): string[] {
  return Object.entries(SEARCH_ATTRIBUTES).flatMap(
    ([name, type]) => ["--search-attribute", `${name}=${TYPES[type].cli}`],
  );
}

/**
 * Registers the search attributes that a server lacks.
 *
 * @returns names that were added now
 * @throws when the server does not let this client change its namespace, as Temporal Cloud does
 */
export async function registerSearchAttributes(
  { namespace, connectionOptions }: TemporalTarget,
): Promise<SearchAttributeName[]> {
  const connection = await Connection.connect(connectionOptions);
  try {
    const missing = (await readAttributes(connection, namespace)).missing;
    if (missing.length === 0) return [];
    await connection.operatorService.addSearchAttributes({
      namespace,
      searchAttributes: Object.fromEntries(missing.map((name) => {
        return [name, TYPES[SEARCH_ATTRIBUTES[name]].number];
      })),
    });
    return missing;
  } finally {
    await connection.close();
  }
}

/**
 * Which of the search attributes a server has; a start that sets another one fails.
 *
 * @param connection open connection to the server
 */
export async function readAttributes(
  connection: Connection,
  namespace: string,
): Promise<{ present: SearchAttributeName[]; missing: SearchAttributeName[] }> {
  const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace });
  const names = Object.keys(SEARCH_ATTRIBUTES) as SearchAttributeName[];
  return {
    present: names.filter((name) => name in customAttributes),
    missing: names.filter((name) => !(name in customAttributes)),
  };
}
