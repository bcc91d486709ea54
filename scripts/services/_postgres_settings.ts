/** Settings of the embedded PostgreSQL with the reason for each, in the order of the file. */
const LOADING_SETTINGS: readonly (readonly [name: string, value: string, reason: string])[] = [
  ["unix_socket_directories", "''", "TCP only: a socket path may be too long or already there"],
  ["max_connections", "100", "a few workers' pools, the watcher, queries"],
  ["password_encryption", "'scram-sha-256'", "no login without the password in the home"],
  ["timezone", "'UTC'", "months and minutes are cut in UTC"],
  ["log_timezone", "'UTC'", "one clock in all logs"],
  ["max_wal_size", "'4GB'", "loading writes much WAL; checkpoints by time, not by volume"],
  ["min_wal_size", "'512MB'", "keeps segments for reuse between loads"],
  [
    "checkpoint_timeout",
    "'15min'",
    "each checkpoint makes the next change of a page write it whole",
  ],
  ["synchronous_commit", "on", "a chunk reported committed survives a kill -9 of the server"],
  ["wal_compression", "off", "this build has only pglz, which costs more CPU than it saves disk"],
  ["max_locks_per_transaction", "256", "a query over all months locks each partition and index"],
  ["random_page_cost", "1.1", "the disk is an SSD"],
  ["jit", "off", "compiling costs more than the short queries over many partitions take"],
  ["autovacuum_vacuum_insert_scale_factor", "0.05", "append-only tables: index-only scans soon"],
  ["autovacuum_analyze_scale_factor", "0.02", "plans follow a table that doubles within minutes"],
  // Messages and statements carry cell values, which belong in no log (I6).
  ["log_min_messages", "log", "no ERROR: its text quotes cell values; the client gets it anyway"],
  ["log_min_error_statement", "panic", "statements hold cell values"],
  ["log_error_verbosity", "terse", "DETAIL quotes whole rows"],
  ["log_parameter_max_length_on_error", "0", "parameters are cell values"],
];

const UNSAFE_SETTINGS: typeof LOADING_SETTINGS = [
  ["fsync", "off", "a test database need not survive a power cut"],
  ["full_page_writes", "off", "as above"],
];

const SAFE_SETTINGS: typeof LOADING_SETTINGS = [
  ["fsync", "on", "a committed chunk survives a power cut"],
  ["full_page_writes", "on", "half-written pages can be mended"],
];

/**
 * The configuration file of the embedded PostgreSQL.
 *
 * @param memoryBytes memory of the machine
 * @param fsync false only for tests
 */
export function postgresSettings(
  { port, memoryBytes, fsync }: { port: number; memoryBytes: number; fsync: boolean },
): string {
  const lines = [
    ["listen_addresses", "'127.0.0.1'", "this machine only"] as const,
    ["port", String(port), "CLICKLEDGER_POSTGRES_PORT"] as const,
    ["shared_buffers", `'${sharedBuffersMegabytes(memoryBytes)}MB'`, "see below"] as const,
    ...LOADING_SETTINGS,
    ...(fsync ? SAFE_SETTINGS : UNSAFE_SETTINGS),
  ].map(([name, value, reason]) => `${`${name} = ${value}`.padEnd(46)} # ${reason}`);
  return [
    "# Written by Clickledger at each start: changes here are lost.",
    ...lines,
    "# shared_buffers: a 16th of the memory, 128 to 512 MB. Keys are in time order (UUIDv7), so",
    "# loading touches few pages of the indexes; the file system's cache serves the queries.",
    "",
  ].join("\n");
}

function sharedBuffersMegabytes(memoryBytes: number): number {
  return Math.min(512, Math.max(128, Math.round(memoryBytes / 16 / 1024 / 1024)));
}
