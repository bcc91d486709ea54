import { ApplicationFailure } from "@temporalio/common";
import type { Contract } from "../domain/contract.ts";
import type { ActivityDeps } from "./create_activities.ts";

/** The contract of a feed; a feed that this worker does not know cannot be loaded by it. */
export function contractOf({ contracts }: ActivityDeps, feed: string): Contract {
  const contract = contracts.get(feed);
  if (contract !== undefined) return contract;
  throw ApplicationFailure.create({
    type: "UnknownFeed",
    message: `Cannot load feed ${feed}: this worker knows ${[...contracts.keys()].join(", ")}`,
  });
}
