import type { NativeConnectionOptions } from "@temporalio/worker";
import { loadClientConnectConfig } from "@temporalio/envconfig";
import type { Config } from "../config.ts";

/** A namespace on a Temporal server and how to reach it. */
export interface TemporalTarget {
  readonly namespace: string;
  /** Address, TLS, API key and metadata, for `NativeConnection.connect`. */
  readonly connectionOptions: Pick<
    NativeConnectionOptions,
    "address" | "apiKey" | "tls" | "metadata"
  >;
}

/** Each of these names a server; the others only say how to talk to it. */
const NAMING_VARIABLES = ["TEMPORAL_ADDRESS", "TEMPORAL_PROFILE", "TEMPORAL_CONFIG_FILE"] as const;

/**
 * The server that the standard Temporal environment configuration names.
 *
 * A `temporal.toml` in the user's home is read only when `TEMPORAL_PROFILE`, `TEMPORAL_CONFIG_FILE`
 * or `TEMPORAL_ADDRESS` is set: trying this project must not end on somebody's production server.
 *
 * @returns undefined when none is named, and a dev server is to be started
 */
export function readTemporalTarget(
  { temporalEnvironment }: Pick<Config, "temporalEnvironment">,
): TemporalTarget | undefined {
  if (!NAMING_VARIABLES.some((name) => temporalEnvironment[name])) return undefined;
  const { namespace, connectionOptions } = loadClientConnectConfig({
    overrideEnvVars: { ...temporalEnvironment },
  });
  const { address, apiKey, tls, metadata } = connectionOptions;
  if (!address) {
    throw new Error(
      "Cannot use the Temporal environment configuration: the profile names no address; set " +
        "TEMPORAL_ADDRESS as well",
    );
  }
  return {
    namespace: namespace ?? "default",
    connectionOptions: {
      address,
      // As text, never as a function that gives one.
      ...(typeof apiKey === "string" ? { apiKey } : {}),
      ...(tls === undefined ? {} : { tls }),
      ...(metadata === undefined ? {} : { metadata }),
    },
  };
}

/** The default namespace of a dev server at an address. */
export function devServerTarget(address: string): TemporalTarget {
  return { namespace: "default", connectionOptions: { address } };
}
