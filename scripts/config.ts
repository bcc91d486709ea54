/**
 * All settings of the project, in one zod schema: the only place that knows the names of the
 * environment variables. `.env.example` and `--help` are rendered from it (`render_settings.ts`).
 *
 * @module
 */
import { join, resolve } from "node:path";
import { z } from "zod";
import { DRIFT_MODES } from "../domain/contract.ts";
import { CHUNK_BYTES, MAX_CHUNK_BYTES } from "../domain/plan_chunks.ts";
import { LOG_LEVELS } from "./log_levels.ts";

/** What a setting is called in the environment and how it is explained to people. */
export interface SettingMeta {
  /** Name of the environment variable. */
  readonly env: string;
  /** One sentence, starting with a capital letter. */
  readonly description: string;
  /** What a value must look like, to end the sentence "expected …". */
  readonly expected: string;
  /** The default as people read it, when it follows from other settings; else the schema has it. */
  readonly defaultText?: string;
  /** The value may hold a password and is never printed. */
  readonly secret?: boolean;
}

function setting<Schema extends z.ZodType>(schema: Schema, meta: SettingMeta): Schema {
  return schema.meta({ ...meta });
}

function wholeNumber(minimum: number, maximum: number) {
  return z.string().regex(/^\d{1,15}$/).transform(Number)
    .pipe(z.number().min(minimum).max(maximum));
}

const path = z.string().min(1);
const port = (value: number) => wholeNumber(1, 65_535).default(value);
const milliseconds = (value: number) => wholeNumber(1, 86_400_000).default(value);
const PORT = "a port from 1 to 65535";
const MILLISECONDS = "a whole number of milliseconds from 1 to 86400000";
const DIRECTORY = "the path of a directory";
const POSTGRES_URL = "a URL such as postgres://user:password@host:5432/database";
const postgresUrl = z.string().regex(/^postgres(ql)?:\/\/[^\s]+$/).optional();

/** Every setting; the keys are the fields of {@linkcode Config}. */
export const SETTINGS = z.object({
  home: setting(path.default(".clickledger"), {
    env: "CLICKLEDGER_HOME",
    description: "Directory of all state: databases, inbox, archive, what is running.",
    expected: DIRECTORY,
  }),
  cache: setting(path.optional(), {
    env: "CLICKLEDGER_CACHE",
    description: "Directory of what can be fetched or built again: server binary, bundles.",
    expected: DIRECTORY,
    defaultText: "the user's cache directory",
  }),
  inbox: setting(path.optional(), {
    env: "CLICKLEDGER_INBOX",
    description: "Directory where files land.",
    expected: DIRECTORY,
    defaultText: "inbox in the home",
  }),
  archive: setting(path.optional(), {
    env: "CLICKLEDGER_ARCHIVE",
    description: "Directory that settled files are moved to.",
    expected: DIRECTORY,
    defaultText: "archive in the home",
  }),
  failed: setting(path.optional(), {
    env: "CLICKLEDGER_FAILED",
    description: "Directory that files go to when they cannot be loaded as a whole.",
    expected: DIRECTORY,
    defaultText: "failed in the home",
  }),
  spool: setting(path.optional(), {
    env: "CLICKLEDGER_SPOOL",
    description: "Directory where compressed and UTF-16 files are expanded while they load.",
    expected: DIRECTORY,
    defaultText: "spool in the home",
  }),
  maxExpandedBytes: setting(wholeNumber(1, 1e15).default(64 * 1024 ** 3), {
    env: "CLICKLEDGER_MAX_EXPANDED_BYTES",
    description: "A compressed file that expands to more than this fails.",
    expected: "a whole number of bytes",
  }),
  archivePolicy: setting(z.enum(["move", "keep", "delete"]).default("move"), {
    env: "CLICKLEDGER_ARCHIVE_POLICY",
    description:
      "Whether a settled file is moved to the archive, kept where it landed, or moved and, once " +
      "its rows are loaded, deleted after a while. What failed is never deleted; retry needs the bytes.",
    expected: "move, keep or delete",
  }),
  deleteAfterMs: setting(wholeNumber(1, 1e12).default(86_400_000), {
    env: "CLICKLEDGER_DELETE_AFTER_MS",
    description: "Under the policy delete: time from settled until the archived bytes are removed.",
    expected: "a whole number of milliseconds",
  }),
  databaseUrl: setting(postgresUrl, {
    env: "DATABASE_URL",
    description: "PostgreSQL 18 to use as owner; unset, an embedded one is started.",
    expected: POSTGRES_URL,
    secret: true,
  }),
  ingestDatabaseUrl: setting(postgresUrl, {
    env: "CLICKLEDGER_INGEST_DATABASE_URL",
    description: "The worker's own login, a member of clickledger_ingest.",
    expected: POSTGRES_URL,
    defaultText: "DATABASE_URL with set role",
    secret: true,
  }),
  readerDatabaseUrl: setting(postgresUrl, {
    env: "CLICKLEDGER_READER_DATABASE_URL",
    description: "The login of queries, a member of clickledger_reader.",
    expected: POSTGRES_URL,
    defaultText: "DATABASE_URL with set role",
    secret: true,
  }),
  operatorDatabaseUrl: setting(postgresUrl, {
    env: "CLICKLEDGER_OPERATOR_DATABASE_URL",
    description: "The login that also sees rejects, a member of clickledger_operator.",
    expected: POSTGRES_URL,
    defaultText: "DATABASE_URL with set role",
    secret: true,
  }),
  databasePool: setting(wholeNumber(1, 64).default(6), {
    env: "CLICKLEDGER_DATABASE_POOL",
    description: "Connections one worker opens to PostgreSQL; activity slots follow from it.",
    expected: "a whole number from 1 to 64",
  }),
  statementTimeoutMs: setting(milliseconds(60_000), {
    env: "CLICKLEDGER_STATEMENT_TIMEOUT_MS",
    description: "Longest time one statement of the worker may take.",
    expected: MILLISECONDS,
  }),
  idleInTransactionTimeoutMs: setting(milliseconds(5_000), {
    env: "CLICKLEDGER_IDLE_IN_TRANSACTION_TIMEOUT_MS",
    description: "Time after which the transaction of a stopped worker is ended by PostgreSQL.",
    expected: MILLISECONDS,
  }),
  temporalAddress: setting(z.string().regex(/^[^\s/]+:\d{1,5}$/).optional(), {
    env: "TEMPORAL_ADDRESS",
    description:
      "Temporal server to use; unset, a dev server is started. The other standard variables " +
      "(TEMPORAL_NAMESPACE, TEMPORAL_API_KEY, TEMPORAL_TLS_…, TEMPORAL_PROFILE) work as well.",
    expected: "host:port",
  }),
  postgresPort: setting(port(5433), {
    env: "CLICKLEDGER_POSTGRES_PORT",
    description: "Port of the embedded PostgreSQL, on 127.0.0.1.",
    expected: PORT,
  }),
  temporalPort: setting(port(7233), {
    env: "CLICKLEDGER_TEMPORAL_PORT",
    description: "Port of the Temporal dev server, on 127.0.0.1.",
    expected: PORT,
  }),
  uiPort: setting(port(8233), {
    env: "CLICKLEDGER_UI_PORT",
    description: "Port of Temporal's Web UI, on 127.0.0.1.",
    expected: PORT,
  }),
  dashboardPort: setting(port(8234), {
    env: "CLICKLEDGER_DASHBOARD_PORT",
    description: "Port of the dashboard, on 127.0.0.1.",
    expected: PORT,
  }),
  metricsPort: setting(wholeNumber(1, 65_535).optional(), {
    env: "CLICKLEDGER_METRICS_PORT",
    description: "Port at which metrics are served for Prometheus, on 127.0.0.1.",
    expected: PORT,
    defaultText: "none are served",
  }),
  settleMs: setting(milliseconds(1_000), {
    env: "CLICKLEDGER_SETTLE_MS",
    description: "A file written in place is read once it has not changed for this long.",
    expected: MILLISECONDS,
  }),
  relistMs: setting(milliseconds(5_000), {
    env: "CLICKLEDGER_RELIST_MS",
    description: "Time between two full listings of inbox and ledger.",
    expected: MILLISECONDS,
  }),
  maxFilesInFlight: setting(wholeNumber(1, 900).default(200), {
    env: "CLICKLEDGER_MAX_FILES_IN_FLIGHT",
    description: "Bound on new files being loaded at once; the rest waits in the inbox.",
    expected: "a whole number from 1 to 900",
  }),
  chunkBytes: setting(wholeNumber(1_024, MAX_CHUNK_BYTES).default(CHUNK_BYTES), {
    env: "CLICKLEDGER_CHUNK_BYTES",
    description: "Bytes of a file that are committed in one transaction.",
    expected: "a whole number of bytes from 1024 to 67108864",
  }),
  drift: setting(z.enum(DRIFT_MODES).default("rescue"), {
    env: "CLICKLEDGER_DRIFT",
    description:
      "Columns that the feed's contract does not know: rescue keeps them as extras, ignore drops " +
      "them, fail refuses the file.",
    expected: DRIFT_MODES.join(", "),
  }),
  maxRejects: setting(wholeNumber(0, 1_000_000_000).optional(), {
    env: "CLICKLEDGER_MAX_REJECTS",
    description: "Error budget: a file with more rejects than this fails as a whole.",
    expected: "a whole number",
    defaultText: "no limit",
  }),
  maxRejectShare: setting(
    z.string().regex(/^(0(\.\d{1,6})?|1(\.0{1,6})?)$/).transform(Number).optional(),
    {
      env: "CLICKLEDGER_MAX_REJECT_SHARE",
      description: "Error budget: a file with a larger share of rejects fails as a whole.",
      expected: "a number from 0 to 1",
      defaultText: "no limit",
    },
  ),
  heartbeatTimeoutMs: setting(milliseconds(10_000), {
    env: "CLICKLEDGER_HEARTBEAT_TIMEOUT_MS",
    description: "A load that has not reported for this long is given to another worker.",
    expected: MILLISECONDS,
  }),
  workflowTaskTimeoutMs: setting(milliseconds(10_000), {
    env: "CLICKLEDGER_WORKFLOW_TASK_TIMEOUT_MS",
    description: "A workflow task not answered for this long is given to another worker.",
    expected: MILLISECONDS,
  }),
  shutdownGraceMs: setting(milliseconds(10_000), {
    env: "CLICKLEDGER_SHUTDOWN_GRACE_MS",
    description: "Time that running loads get to reach a chunk border at Ctrl-C.",
    expected: MILLISECONDS,
  }),
  logLevel: setting(z.enum(LOG_LEVELS).default("info"), {
    env: "CLICKLEDGER_LOG_LEVEL",
    description: "Least important messages that are logged.",
    expected: LOG_LEVELS.join(", "),
  }),
});

type Settings = z.output<typeof SETTINGS>;

/** Typed settings; all paths are absolute, times in milliseconds, sizes in bytes. */
export interface Config extends Settings {
  readonly cache: string;
  readonly inbox: string;
  readonly archive: string;
  readonly failed: string;
  readonly spool: string;
  /** The standard Temporal variables as they were set, for `temporal_connection.ts`. */
  readonly temporalEnvironment: Readonly<Record<string, string>>;
}

/** A setting has a value that cannot be used; the caller ends with exit code 2. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
}

/** The fields of {@linkcode Config} with what people are told about them, in order. */
export function listSettings(): { field: keyof Settings; meta: SettingMeta; default?: string }[] {
  return Object.entries(SETTINGS.shape).map(([field, schema]) => {
    const meta = schema.meta() as unknown as SettingMeta;
    const parsed = (schema as z.ZodType).safeParse(undefined);
    const value = parsed.success && parsed.data !== undefined ? String(parsed.data) : undefined;
    return {
      field: field as keyof Settings,
      meta,
      ...(value === undefined ? {} : { default: value }),
    };
  });
}

/**
 * Reads the settings from environment variables; an empty value counts as unset.
 *
 * @param env names and values, by default those of the process
 * @throws {ConfigError} names each wrong variable, what it expects and what to do
 */
export function readConfig(env: Record<string, string> = Deno.env.toObject()): Config {
  const settings = listSettings();
  const known = new Set(settings.map(({ meta }) => meta.env));
  const unknown = Object.keys(env).filter((name) => isOurs(name) && !known.has(name));
  const input = Object.fromEntries(
    settings.flatMap(({ field, meta }) => env[meta.env] ? [[field, env[meta.env]]] : []),
  );
  const parsed = SETTINGS.safeParse(input);
  const wrong = new Set(parsed.error?.issues.map((issue) => issue.path[0]));
  const problems = [
    ...unknown.map((name) => `Cannot use ${name}: no setting has this name; correct or unset it`),
    ...settings.filter(({ field }) => wrong.has(field)).map(({ meta, default: value }) => {
      const got = meta.secret ? "another text" : JSON.stringify(env[meta.env]);
      const otherwise = value ?? meta.defaultText ?? "not set";
      return `Cannot use ${meta.env}: expected ${meta.expected} but got ${got}; ` +
        `correct it or unset it (default: ${otherwise})`;
    }),
  ];
  if (!parsed.success || problems.length > 0) throw new ConfigError(problems.join("\n"));
  const config = withPaths(parsed.data, env);
  refuseSharedDirectories(config);
  refuseSharedPorts(config);
  return config;
}

/** `CLICKLEDGER_TEST_*` are handed from the test runner to the tests. */
function isOurs(name: string): boolean {
  return name.startsWith("CLICKLEDGER_") && !name.startsWith("CLICKLEDGER_TEST_");
}

function withPaths(settings: Settings, env: Record<string, string>): Config {
  const home = resolve(settings.home);
  return {
    ...settings,
    home,
    cache: resolve(settings.cache ?? userCacheDirectory(home, env)),
    inbox: resolve(settings.inbox ?? join(home, "inbox")),
    archive: resolve(settings.archive ?? join(home, "archive")),
    failed: resolve(settings.failed ?? join(home, "failed")),
    spool: resolve(settings.spool ?? join(home, "spool")),
    temporalEnvironment: Object.fromEntries(
      Object.entries(env).filter(([name]) => name.startsWith("TEMPORAL_")),
    ),
  };
}

/** Where the platform keeps a user's caches; without a user's home, the project's home. */
function userCacheDirectory(home: string, env: Record<string, string>): string {
  if (env.XDG_CACHE_HOME) return join(env.XDG_CACHE_HOME, "clickledger");
  if (!env.HOME) return join(home, "cache");
  const caches = Deno.build.os === "darwin" ? "Library/Caches" : ".cache";
  return join(env.HOME, caches, "clickledger");
}

function refuseSharedDirectories({ inbox, archive, failed }: Config): void {
  for (const [name, directory] of [["ARCHIVE", archive], ["FAILED", failed]] as const) {
    if (directory !== inbox) continue;
    throw new ConfigError(
      `Cannot use CLICKLEDGER_${name}: it is the inbox, where a file moved there would be found ` +
        "again; choose another directory",
    );
  }
}

function refuseSharedPorts(config: Config): void {
  const seen = new Map<number, string>();
  for (
    const field of [
      "postgresPort",
      "temporalPort",
      "uiPort",
      "dashboardPort",
      "metricsPort",
    ] as const
  ) {
    const name = SETTINGS.shape[field].meta()?.env as string;
    const port = config[field];
    if (port === undefined) continue;
    const other = seen.get(port);
    if (other) {
      throw new ConfigError(
        `Cannot use ${name}: port ${port} is already that of ${other}; choose another`,
      );
    }
    seen.set(port, name);
  }
}
