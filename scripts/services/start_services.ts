import type { Config } from "../config.ts";
import { lockHome } from "./lock_home.ts";
import { startPostgres } from "./postgres.ts";
import { endOrphans } from "./processes.ts";
import type { Progress } from "./progress.ts";
import { startTemporal } from "./temporal.ts";
import { devServerTarget, readTemporalTarget, type TemporalTarget } from "./temporal_target.ts";

/** A service that the project needs. */
export type ServiceName = "postgres" | "temporal";

/** One of the started services has ended by itself. */
export interface ServiceEnd {
  readonly service: ServiceName;
  readonly status: Deno.CommandStatus;
}

/** Services that are ready for use: started here, or named by the environment. */
export interface Services extends AsyncDisposable {
  /** URL of the owner, with password. */
  readonly databaseUrl: string;
  /** `host:port`. */
  readonly temporalAddress: string;
  readonly temporal: TemporalTarget;
  /** Only of a Temporal server started here. */
  readonly webUiUrl?: string;
  /** What was started here, and ends with {@linkcode Services.stop}. */
  readonly started: readonly { readonly name: ServiceName; readonly pid: number }[];
  /** Resolves when one of the started services ends without having been told to. */
  readonly unexpectedEnd: Promise<ServiceEnd>;
  /** Stops what was started here, and unlocks the home; safe to call twice. */
  stop(): Promise<void>;
}

interface Started {
  readonly name: ServiceName;
  readonly pid: number;
  readonly ended: Promise<Deno.CommandStatus>;
  stop(): Promise<void>;
}

/**
 * Makes PostgreSQL and Temporal available, both at once: those named by `DATABASE_URL` and by the
 * Temporal environment configuration are used as they are, the others are started in the home.
 *
 * The home is locked until {@linkcode Services.stop}, and what an earlier start left running there
 * is ended first.
 *
 * @param options.only starts just these; the addresses of the others are empty
 * @param options.fsync false only for databases that need not survive a power cut, as in tests
 * @throws {HomeLockedError} when another process has started services there
 */
export async function startServices(
  config: Config,
  { progress, only = ["postgres", "temporal"], fsync = true }: {
    progress: Progress;
    only?: readonly ServiceName[];
    fsync?: boolean;
  },
): Promise<Services> {
  const { home, cache } = config;
  const lock = await lockHome(home);
  const started: Started[] = [];
  let stopping: Promise<void> | undefined;
  const stop = () => stopping ??= stopAll(started).finally(() => lock.release());

  async function providePostgres(): Promise<string> {
    if (config.databaseUrl) return config.databaseUrl;
    const server = await startPostgres({ home, port: config.postgresPort, progress, fsync });
    started.push({ name: "postgres", ...server });
    return server.ownerUrl;
  }

  async function provideTemporal(): Promise<{ temporal: TemporalTarget; webUiUrl?: string }> {
    const temporal = readTemporalTarget(config);
    if (temporal) return { temporal };
    const { temporalPort: port, uiPort } = config;
    const server = await startTemporal({ home, cache, port, uiPort, progress });
    started.push({ name: "temporal", ...server });
    return { temporal: devServerTarget(server.address), webUiUrl: server.webUiUrl };
  }

  try {
    await endOrphans(home, progress);
    // Settled, not all: the one that is still starting must be stopped as well.
    const [database, temporal] = await Promise.allSettled([
      only.includes("postgres") ? providePostgres() : "",
      only.includes("temporal") ? provideTemporal() : { temporal: devServerTarget("") },
    ]);
    if (database.status === "rejected") throw database.reason;
    if (temporal.status === "rejected") throw temporal.reason;
    return {
      databaseUrl: database.value,
      temporalAddress: temporal.value.temporal.connectionOptions.address ?? "",
      ...temporal.value,
      started: started.map(({ name, pid }) => ({ name, pid })),
      unexpectedEnd: firstUnexpectedEnd(started, () => stopping !== undefined),
      stop,
      [Symbol.asyncDispose]: stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function stopAll(started: readonly Started[]): Promise<void> {
  const results = await Promise.allSettled(started.map((service) => service.stop()));
  const failed = results.find((result) => result.status === "rejected");
  if (failed) throw failed.reason;
}

function firstUnexpectedEnd(
  started: readonly Started[],
  isStopping: () => boolean,
): Promise<ServiceEnd> {
  const { promise, resolve } = Promise.withResolvers<ServiceEnd>();
  for (const { name, ended } of started) {
    ended.then((status) => isStopping() || resolve({ service: name, status }));
  }
  return promise;
}
