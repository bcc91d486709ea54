import { NativeConnection } from "@temporalio/worker";
import type { Logger } from "../log.ts";
import { readAttributes, registerSearchAttributes } from "./search_attributes.ts";
import type { TemporalTarget } from "./temporal_target.ts";

/**
 * Registers the search attributes where the server lets us, and says whether they may be used: a
 * start that sets an unknown one fails, so with any missing none is set.
 *
 * @returns whether the server has all of them; without, one warning names what lists will lack
 */
export async function prepareSearchAttributes(
  target: TemporalTarget,
  log: Logger,
): Promise<boolean> {
  try {
    await registerSearchAttributes(target);
  } catch (error) {
    // Temporal Cloud, or a login without this right: an operator registers them there.
    log.debug({ reason: String(error) }, "Cannot register search attributes");
  }
  const missing = await findMissing(target);
  if (missing.length === 0) return true;
  log.warn(
    { missing },
    "Search attributes are missing on the Temporal server: workflows start without them; register " +
      "them (`temporal operator search-attribute create`) and start again",
  );
  return false;
}

async function findMissing({ namespace, connectionOptions }: TemporalTarget): Promise<string[]> {
  const connection = await NativeConnection.connect(connectionOptions);
  try {
    return (await readAttributes(connection, namespace)).missing;
  } catch {
    return ["unknown: the server does not list them"];
  } finally {
    await connection.close();
  }
}
