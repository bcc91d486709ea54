import assert from "node:assert/strict";
import { openDatabase, type Role } from "../../activities/database.ts";
import { Prng } from "../../domain/generator/prng.ts";
import { readConfig } from "../../scripts/config.ts";
import { tcpProxy } from "../activities/_tcp_proxy.ts";
import { waitFor } from "../harness.ts";
import { faultPipeline } from "./_fault_pipeline.ts";
import type { OwnPostgres, OwnTemporal } from "./_own_services.ts";
import { assertPlanted, listNames, plantFiles } from "./_planted_files.ts";
import { type TortureParts, TORTURES } from "./_tortures.ts";

const FAULTS = 9;
const FILES = 16;
const ROWS = 500;
const HEALED_MS = 120_000;

/** One seed: its servers, which others use after it, and who is told of each fault. */
export interface Torture {
  seed: number;
  postgres: OwnPostgres;
  temporal: OwnTemporal;
  onFault: (kind: string) => void;
}

/**
 * Loads files with planted faults into a database of its own while a seeded mix of things breaks, waits for quiet, and
 * compares all with the truth.
 *
 * @returns What was compared, in words.
 */
export async function tortureSeed(
  { seed, postgres, temporal, onFault }: Torture,
): Promise<string> {
  await using database = await postgres.freshDatabase();
  await using proxy = await tcpProxy(database.url);
  await using pipeline = await faultPipeline({
    chunkBytes: 16 * 1024,
    database,
    temporalAddress: temporal.address,
  });
  const deadlocksBefore = await countDeadlocks(postgres);
  // Workers reach PostgreSQL through the proxy, the test itself does not.
  Object.assign(pipeline.setup, {
    databaseUrl: proxy.url,
    limits: { ...pipeline.setup.limits, statementDeadlineMs: 2_000 },
  });
  const planted = await plantFiles(pipeline.inbox, { files: FILES, rows: ROWS, seed });
  const workers = [await pipeline.startWorker(), await pipeline.startWorker()];
  const { client, inbox, inboxId } = pipeline;
  await using pools = new AsyncDisposableStack();
  const open = (role: Role) => {
    const pool = openDatabase(database.url, role);
    pools.defer(() => pool.end({ timeout: 1 }));
    return pool;
  };
  const parts: TortureParts = {
    ...{ pipeline, postgres, temporal, proxy, workers, planted },
    running: { client, sql: open("ingest"), inbox, inboxId },
    operator: open("operator"),
    config: readConfig({ CLICKLEDGER_HEARTBEAT_TIMEOUT_MS: "1500" }),
    prng: new Prng(seed, 0),
    started: [],
  };

  // Files flow while things break: before each fault some are started, after the last one the rest.
  const waiting = [...planted.names];
  const startSome = async (count: number) => {
    for (const name of waiting.splice(0, count)) {
      const shortWay = parts.prng.below(2) === 0;
      parts.started.push(await pipeline.ingest(name, { shortWay }));
    }
  };
  const kinds = drawKinds(parts.prng);
  for (const [index, kind] of kinds.entries()) {
    await startSome(Math.ceil(waiting.length / (FAULTS - index + 1)));
    await new Promise((resolve) => setTimeout(resolve, parts.prng.below(500)));
    onFault(kind);
    await TORTURES[kind]?.(parts);
  }
  await startSome(waiting.length);

  await waitFor(async () => {
    const [row] = await database.sql<{ loaded: number; open: number }[]>`
      select count(*) filter (where state = 'loaded')::integer as loaded,
             count(*) filter (where settled_at is null)::integer as open
      from ingest.files`;
    return row?.loaded === FILES && row.open === 0;
  }, { what: "all files to be settled", timeoutMs: HEALED_MS });
  await waitFor(async () => {
    const open = await database.sql`
      select from pg_stat_activity
      where datname = current_database() and state like 'idle in transaction%'`;
    return open.length === 0;
  }, { what: "no session to be idle in transaction" });
  await assertPlanted(pipeline, planted);
  // What was cancelled went there, and was retried from there.
  assert.deepEqual(await listNames(pipeline.failed), []);
  // What a query says that got the rows of another one.
  assert.doesNotMatch(pipeline.workerLogs(), /UNDEFINED_VALUE/);
  assert.equal(await countDeadlocks(postgres) - deadlocksBefore, 0, "deadlocks");
  return `clean: ${planted.eventIds.size} events, ${planted.duplicates} duplicates, ` +
    `${planted.rejects.size + planted.conflicts} rejects`;
}

/** All kinds in a random order, then in another one, and so on. */
function drawKinds(prng: Prng): string[] {
  const drawn: string[] = [];
  for (let left: string[] = []; drawn.length < FAULTS;) {
    if (left.length === 0) left = Object.keys(TORTURES);
    drawn.push(...left.splice(prng.below(left.length), 1));
  }
  return drawn;
}

/** From the log: a server that was killed has forgotten its statistics. */
async function countDeadlocks({ readLog }: OwnPostgres): Promise<number> {
  return (await readLog()).split("detected deadlock").length - 1;
}
