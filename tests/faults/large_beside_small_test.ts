import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { waitFor } from "../harness.ts";
import { csvOf, type WatchedInbox, watchedInbox } from "../scripts/_watched_inbox.ts";
import { writeLargeFile } from "./_write_large_file.ts";

const LARGE_ROWS = 40_000;
const SMALL_ROWS = 10;
/** So many small files fit beside the large one on any machine, one after the other. */
const AT_LEAST = 3;

Deno.test("A large file loads → small ones that land meanwhile are loaded before it ends", async () => {
  await using at = await watchedInbox();
  const { sql } = at;
  at.watch();
  await writeLargeFile(`${at.folder}/landing`, LARGE_ROWS);
  await Deno.rename(`${at.folder}/landing`, `${at.inbox}/large.csv`);
  await waitFor(async () => {
    const found = await sql`select from ingest.chunks where committed_at is not null limit 1`;
    return found.length > 0;
  }, { what: "a chunk of the large file" });

  let files = 0;
  while (await loadSmall(at, files)) files++;
  assert.ok(files >= AT_LEAST, `${files} small files were loaded before the large one`);

  await at.settled(2 + files);
  const [events] = await sql`select count(*)::integer as rows from shop.events`;
  assert.equal(events?.rows, LARGE_ROWS + SMALL_ROWS * (files + 1));
  assert.deepEqual(await at.violations(), []);
});

/** Lands a file and waits until it is loaded; whether the large one is loading even then. */
async function loadSmall({ folder, inbox, sql }: WatchedInbox, n: number): Promise<boolean> {
  // Compressed ones take the long way.
  const [name, bytes] = n % 2 === 0
    ? [`small ${n}.csv`, new TextEncoder().encode(csvOf(SMALL_ROWS))] as const
    : [`small ${n}.csv.gz`, gzipSync(csvOf(SMALL_ROWS))] as const;
  await Deno.writeFile(`${folder}/landing`, bytes);
  await Deno.rename(`${folder}/landing`, `${inbox}/${name}`);
  const states = await waitFor(async () => {
    const [row] = await sql<{ small: string; large: string }[]>`
      select s.state as small, l.state as large
      from ingest.files s, ingest.files l
      where s.file_name = ${name} and l.file_name = 'large.csv'`;
    return row?.small === "loaded" ? row : null;
  }, { what: `${name} to be loaded`, timeoutMs: 60_000 });
  return states.large === "loading";
}
