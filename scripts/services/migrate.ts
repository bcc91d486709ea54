import { createHash } from "node:crypto";
import postgres from "postgres";

/** Group roles of the product; they own nothing but what the migrations grant. Order: owner first. */
export const ROLES = [
  "clickledger_owner",
  "clickledger_ingest",
  "clickledger_reader",
  "clickledger_operator",
] as const;

/** One numbered file of `sql/`. */
export interface Migration {
  /** Number in front of the file name, from 1 without gaps. */
  version: number;
  /** File name, such as `0002_ledger.sql`. */
  name: string;
  /** sha-256 of the text, hex. */
  checksum: string;
  text: string;
}

/** A migration that was applied and has since changed or disappeared, or a database newer than this program. */
export class MigrationError extends Error {
  override name = "MigrationError";
}

const SQL_DIRECTORY = new URL("../../sql/", import.meta.url);

/**
 * Reads the migrations of this version of the program, in order.
 *
 * @param directory Where the numbered files are.
 */
export async function readMigrations(directory: URL = SQL_DIRECTORY): Promise<Migration[]> {
  const migrations = await listMigrations(directory);
  refuseGaps(migrations);
  return migrations;
}

async function listMigrations(directory: URL): Promise<Migration[]> {
  const migrations: Migration[] = [];
  for await (const entry of Deno.readDir(directory)) {
    const version = entry.name.match(/^(\d{4})_\w+\.sql$/)?.[1];
    if (version === undefined) continue;
    const text = await Deno.readTextFile(new URL(entry.name, directory));
    const checksum = createHash("sha256").update(text).digest("hex");
    migrations.push({ version: Number(version), name: entry.name, checksum, text });
  }
  return migrations.sort((a, b) => a.version - b.version);
}

function refuseGaps(migrations: readonly Migration[]): void {
  for (const [index, migration] of migrations.entries()) {
    if (migration.version === index + 1) continue;
    throw new MigrationError(
      `Cannot read migrations: expected number ${index + 1} but found ${migration.name}`,
    );
  }
}

/**
 * Brings a database to the schema of this program. Safe to run twice and from several processes at once: an
 * advisory lock lets one work and the others find nothing left to do.
 *
 * @param databaseUrl A login that may create schemas in the database, and roles unless they exist.
 * @returns Names of the files that were applied now; empty when there was nothing to do.
 * @throws {MigrationError} when an applied file has changed or is missing, naming it.
 */
export async function migrate(
  databaseUrl: string,
  { directory = SQL_DIRECTORY }: { directory?: URL } = {},
): Promise<{ applied: string[] }> {
  const migrations = await listMigrations(directory);
  const sql = postgres(databaseUrl, { max: 1, onnotice: () => {} });
  try {
    // Of this database only: what belongs to the server is made so that others may make it at the same time.
    await sql`select pg_advisory_lock(hashtext('clickledger.migrate'))`;
    await createRoles(sql);
    await createMigrationTable(sql);
    const known = await sql<{ version: number; name: string; checksum: string }[]>`
      select version, name, checksum from ingest.migrations order by version`;
    refuseChangedHistory(known, migrations);
    refuseGaps(migrations);
    const applied: string[] = [];
    for (const migration of migrations.slice(known.length)) {
      await applyMigration(sql, migration);
      applied.push(migration.name);
    }
    return { applied };
  } finally {
    await sql.end({ timeout: 5 });
  }
}

/** Tells what is to be done without doing it. */
export async function pendingMigrations(databaseUrl: string): Promise<string[]> {
  const migrations = await readMigrations();
  const sql = postgres(databaseUrl, { max: 1, onnotice: () => {} });
  try {
    const [table] = await sql`select to_regclass('ingest.migrations') as name`;
    if (table?.name === null) return migrations.map(({ name }) => name);
    const known = await sql<{ version: number; name: string; checksum: string }[]>`
      select version, name, checksum from ingest.migrations order by version`;
    refuseChangedHistory(known, migrations);
    return migrations.slice(known.length).map(({ name }) => name);
  } finally {
    await sql.end({ timeout: 5 });
  }
}

async function createRoles(sql: postgres.Sql): Promise<void> {
  for (const role of ROLES) {
    // Another database of this server may be migrated at the same time, under its own lock.
    await sql.unsafe(`do $$ begin
      if not exists (select from pg_roles where rolname = '${role}') then
        create role ${role} nologin;
      end if;
    exception when duplicate_object or unique_violation then null;
    end $$`);
    await sql.unsafe(`do $$ begin
      if not pg_has_role(current_user, '${role}', 'set') then
        execute format('grant ${role} to %I', current_user);
      end if;
    exception when unique_violation then null;
    end $$`);
  }
}

async function createMigrationTable(sql: postgres.Sql): Promise<void> {
  await sql.unsafe(`do $$ begin
    if to_regnamespace('ingest') is null then
      execute format('grant create, temporary on database %I to clickledger_owner', current_database());
      create schema ingest authorization clickledger_owner;
      create schema shop authorization clickledger_owner;
      create table ingest.migrations (
        version    integer     primary key,
        name       text        not null,
        checksum   text        not null,
        applied_at timestamptz not null default now()
      );
      alter table ingest.migrations owner to clickledger_owner;
    end if;
  end $$`);
}

function refuseChangedHistory(
  known: { version: number; name: string; checksum: string }[],
  migrations: Migration[],
): void {
  for (const row of known) {
    const migration = migrations.find(({ version }) => version === row.version);
    if (migration === undefined) {
      const isNewer = migrations.every(({ version }) => version < row.version);
      throw new MigrationError(
        isNewer
          ? `Cannot migrate: the database has ${row.name}, which this version does not know. ` +
            "Run a version of Clickledger at least as new as the one that applied it."
          : `Cannot migrate: ${row.name} was applied and is missing. Restore the file.`,
      );
    }
    if (migration.name !== row.name || migration.checksum !== row.checksum) {
      throw new MigrationError(
        `Cannot migrate: ${row.name} was applied and has changed since. ` +
          "Restore the file as it was and put the change into a new migration.",
      );
    }
  }
}

/** Whoever waits behind a migration that waits for a lock waits no longer than this. */
const LOCK_TIMEOUT_MS = 3_000;
const MAX_ATTEMPTS = 20;
/** Deadlock, and a lock that was not free in time. */
const BUSY_SQLSTATES = ["40P01", "55P03"];

async function applyMigration(sql: postgres.Sql, migration: Migration): Promise<void> {
  for (let attempt = 1;; attempt++) {
    try {
      await sql.begin((tx) => applyIn(tx, migration));
      return;
    } catch (error) {
      const isBusy = error instanceof postgres.PostgresError && BUSY_SQLSTATES.includes(error.code);
      if (isBusy && attempt < MAX_ATTEMPTS) continue;
      const reason = error instanceof Error ? error.message : String(error);
      const help = isBusy
        ? ". Somebody holds what it changes: look at pg_locks, then run it again"
        : "";
      throw new MigrationError(`Cannot apply ${migration.name}: ${reason}${help}`, {
        cause: error,
      });
    }
  }
}

async function applyIn(tx: postgres.TransactionSql, migration: Migration): Promise<void> {
  await tx`set local role clickledger_owner`;
  await tx.unsafe(`set local lock_timeout = ${LOCK_TIMEOUT_MS}`);
  const [{ ledger } = {}] = await tx`select to_regclass('ingest.files') as ledger`;
  // A chunk begins with the row of its file: it waits there, and holds nothing yet that is changed here.
  if (ledger !== null) await tx`lock table ingest.files in exclusive mode`;
  await tx.unsafe(migration.text).simple();
  await tx`insert into ingest.migrations (version, name, checksum)
           values (${migration.version}, ${migration.name}, ${migration.checksum})`;
}
