import assert from "node:assert/strict";
import { Prng } from "../../domain/generator/prng.ts";
import { tcpProxy } from "../activities/_tcp_proxy.ts";
import { tempDir, waitFor } from "../harness.ts";
import { faultPipeline } from "./_fault_pipeline.ts";
import { landPlanted } from "./_land_planted.ts";
import type { OwnPostgres, OwnTemporal } from "./_own_services.ts";
import { People } from "./_people.ts";
import { assertPlanted, listNames, plantFiles } from "./_planted_files.ts";
import { type TortureParts, TORTURES } from "./_tortures.ts";

const FAULTS = 10;
const FILES = 16;
const ROWS = 500;
const SETTLE_MS = 300;
const RELIST_MS = 500;
/** Of a writer; beyond the settle timer and a listing, so that some files are read too early. */
const LONGEST_PAUSE_MS = 4 * SETTLE_MS;
const HEALED_MS = 120_000;

/** One seed: its servers, which others use after it, and who is told of each fault. */
export interface Torture {
  seed: number;
  postgres: OwnPostgres;
  temporal: OwnTemporal;
  onFault: (kind: string) => void;
}

/**
 * Lands files with planted faults in a watched inbox while a seeded mix of things breaks and people run commands, heals
 * all, waits for quiet, and compares everything with the truth.
 *
 * @returns What was compared, in words.
 */
export async function tortureSeed(
  { seed, postgres, temporal, onFault }: Torture,
): Promise<string> {
  await using database = await postgres.freshDatabase();
  await using proxy = await tcpProxy(database.url);
  await using landing = await tempDir();
  await using pipeline = await faultPipeline({
    chunkBytes: 16 * 1024,
    database,
    temporalAddress: temporal.address,
  });
  const deadlocksBefore = await countDeadlocks(postgres);
  // Workers and watcher reach PostgreSQL through the proxy, the test itself does not.
  Object.assign(pipeline.setup, {
    databaseUrl: proxy.url,
    limits: { ...pipeline.setup.limits, statementDeadlineMs: 2_000 },
  });
  const planted = await plantFiles(landing.path, { files: FILES, rows: ROWS, seed, mixed: true });
  await using people = new People(pipeline, planted);
  const workers = [await pipeline.startWorker(), await pipeline.startWorker()];
  const startWatcher = () => pipeline.startWatcher({ settleMs: SETTLE_MS, relistMs: RELIST_MS });
  const parts: TortureParts = {
    ...{ pipeline, postgres, temporal, proxy, workers, startWatcher, people },
    watcher: await startWatcher(),
    prng: new Prng(seed, 0),
  };

  // Files land while things break: before each fault some, after the last one the rest.
  const waiting = [...planted.files];
  const written: Promise<void>[] = [];
  const landSome = (count: number) => {
    for (const file of waiting.splice(0, count)) {
      written.push(landPlanted(file, {
        ...{ from: landing.path, inbox: pipeline.inbox, prng: parts.prng },
        longestPauseMs: LONGEST_PAUSE_MS,
      }));
    }
  };
  const kinds = drawKinds(parts.prng);
  for (const [index, kind] of kinds.entries()) {
    landSome(Math.ceil(waiting.length / (FAULTS - index + 1)));
    await new Promise((resolve) => setTimeout(resolve, parts.prng.below(500)));
    onFault(kind);
    await TORTURES[kind]?.(parts);
  }
  landSome(waiting.length);
  await Promise.all(written);

  let left = "";
  const isQuiet = async () => {
    const rows = await database.sql<
      { id: number; name: string; state: string; code: string; size: number; settled: boolean }[]
    >`
      select file_id::integer as id, file_name as name, state, error_code as code,
             size_bytes::integer as size, settled_at is not null as settled
      from ingest.files order by file_name, file_id`;
    const unread = planted.files.filter(({ name, bytes }) =>
      !rows.some((row) => row.name === name && row.size === bytes.length)
    ).map(({ name }) => name);
    const unsettled = rows.filter(({ settled }) => !settled);
    const names = (await listNames(pipeline.inbox)).filter((name) => !name.startsWith("."));
    const about = rows.filter(({ name }) => unread.includes(name));
    left = JSON.stringify({ unread, about, unsettled, names });
    return unread.length + unsettled.length + names.length === 0;
  };
  await within(HEALED_MS, people.mend(isQuiet), async () => {
    await isQuiet();
    return `${left} ${people.pending()}`;
  });
  await waitFor(async () => {
    const open = await database.sql`
      select from pg_stat_activity
      where datname = current_database() and state like 'idle in transaction%'`;
    return open.length === 0;
  }, { what: "no session to be idle in transaction" });
  const found = await assertPlanted(pipeline, planted, { steered: true });
  // What a query says that got the rows of another one.
  assert.doesNotMatch(pipeline.workerLogs(), /UNDEFINED_VALUE/);
  assert.equal(await countDeadlocks(postgres) - deadlocksBefore, 0, "deadlocks");
  return `clean: ${found.events} events, ${found.duplicates} duplicates, ` +
    `${found.rejects} rejects, ${found.corrected} corrected`;
}

/** @param left what is not done, asked when it is late */
async function within(ms: number, work: Promise<void>, left: () => Promise<string>): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(async () => {
      reject(new Error(`Cannot go on: after ${ms} ms there is left ${await left()}`));
    }, ms);
  });
  await Promise.race([work, late]).finally(() => clearTimeout(timer));
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
