/**
 * Sets up Temporal's runtime of a test file before anything else does: what workers here report as
 * failed is what the tests provoke.
 *
 * @module
 */
import { DefaultLogger, Runtime } from "@temporalio/worker";

Runtime.install({
  shutdownSignals: [],
  logger: new DefaultLogger("ERROR"),
  telemetryOptions: { logging: { filter: { core: "ERROR", other: "ERROR" } } },
});
