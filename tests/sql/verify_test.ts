import assert from "node:assert/strict";
import type postgres from "postgres";
import { csv, event, eventId, events } from "../activities/_events.ts";
import { ingest, unload } from "../activities/_ingest.ts";
import { type Warehouse, warehouse } from "../activities/_warehouse.ts";

/** What somebody does to the ledger by hand, and what the proof says then; nothing else may be said. */
interface Damage {
  name: string;
  plant: (tx: postgres.TransactionSql) => Promise<unknown>;
  violations: RegExp[];
}

const LOST = eventId(3);

const DAMAGES: Damage[] = [
  {
    name: "an event is missing",
    plant: (tx) => tx`delete from shop.events where event_id = ${LOST}`,
    violations: [
      /^I2: event \S+ has a key, but is not in shop.events$/,
      /^I5: rollup of minute .* by 1 events/,
      /^I5: rollup of a product .* by 1 events/,
    ],
  },
  {
    name: "an event is there twice",
    plant: (tx) => tx`insert into shop.events select * from shop.events where event_id = ${LOST}`,
    violations: [
      /^I2: event \S+ is in shop.events 2 times$/,
      /^I5: rollup of minute .* by -1 events/,
      /^I5: rollup of a product .* by -1 events/,
    ],
  },
  {
    name: "an event names another line",
    plant: (tx) => tx`update shop.events set line_number = 999 where event_id = ${LOST}`,
    violations: [/^I2: event \S+ stands at line 999 of file 1, but its key says line 5 of file 1$/],
  },
  {
    name: "an event names another file",
    plant: (tx) => tx`update shop.events set file_id = 2 where event_id = ${LOST}`,
    violations: [/^I2: event \S+ stands at line 5 of file 2, but its key says line 5 of file 1$/],
  },
  {
    name: "a key is missing",
    plant: (tx) => tx`delete from ingest.event_keys where event_id = ${LOST}`,
    violations: [
      /^I1: chunks say loaded \d+, but \d+ keys belong to the file$/,
      /^I2: event \S+ is in shop.events without a key$/,
    ],
  },
  {
    name: "a key and its event are missing",
    plant: async (tx) => {
      await tx`delete from ingest.event_keys where event_id = ${LOST}`;
      await tx`delete from shop.events where event_id = ${LOST}`;
    },
    violations: [
      /^I1: chunks say loaded \d+, but \d+ keys/,
      /^I5: rollup of minute .* by 1 events/,
      /^I5: rollup of a product .* by 1 events/,
    ],
  },
  {
    name: "a key belongs to a file that nobody knows",
    plant: (tx) =>
      tx`
      insert into ingest.event_keys (event_id, event_time, file_id, content_hash, line_number)
      values (${eventId(9999)}, now(), 9999, 1, 1)`,
    violations: [/^I1: 1 keys belong to a file that is not in the ledger$/],
  },
  {
    name: "one line is counted twice and another never",
    plant: async (tx) => {
      await tx`update ingest.event_keys set line_number = 6 where event_id = ${LOST}`;
      await tx`update shop.events set line_number = 6 where event_id = ${LOST}`;
    },
    violations: [/^I1: line 6 is counted 2 times$/],
  },
  {
    name: "a line is counted as loaded and as a duplicate",
    plant: (tx) =>
      tx`update ingest.duplicates set line_number = 8 where file_id = 2 and line_number = 2`,
    violations: [/^I1: line 8 is counted 2 times$/],
  },
  {
    name: "a line is counted as a duplicate and as rejected",
    plant: (tx) => tx`update ingest.rejects set line_number = 3 where file_id = 2`,
    violations: [/^I1: line 3 is counted 2 times$/],
  },
  {
    name: "a duplicate of a file that failed was not re-opened",
    plant: (tx) => plantDuplicate(tx, "failed"),
    violations: [/^I2: duplicate of file \d, which is failed: its events are in no file$/],
  },
  {
    name: "a duplicate of a file that was cancelled was not re-opened",
    plant: (tx) => plantDuplicate(tx, "cancelled"),
    violations: [/^I2: duplicate of file \d, which is cancelled: its events are in no file$/],
  },
  {
    name: "a duplicate without bytes of its own cannot be re-opened",
    plant: async (tx) => {
      await plantDuplicate(tx, "failed");
      await tx`
        update ingest.files set archive_path = null, error_code = 'replaced' where state = 'duplicate'`;
    },
    violations: [],
  },
  {
    name: "a file counts one record too many",
    plant: (tx) => tx`update ingest.files set records = records + 1 where file_id = 1`,
    violations: [
      /^I1: records 21, but loaded 20/,
      /^I1: file counts 21\/20\/0\/0, but its chunks sum to 20/,
    ],
  },
  {
    name: "a file counts loaded records as duplicates",
    plant: (tx) =>
      tx`update ingest.files set loaded = loaded - 1, duplicates = duplicates + 1 where file_id = 1`,
    violations: [/^I1: file counts 20\/19\/1\/0, but its chunks sum to 20\/20\/0\/0/],
  },
  {
    name: "a file has no counts",
    plant: (tx) => tx`update ingest.files set loaded = null where file_id = 1`,
    violations: [/^I1: records 20, but loaded /, /^I1: file counts/],
  },
  {
    name: "a chunk counts loaded records as duplicates",
    plant: (tx) =>
      tx`
      update ingest.chunks set loaded = loaded - 1, duplicates = duplicates + 1
      where file_id = 1 and chunk_no = 0`,
    violations: [
      /^I1: file counts/,
      /^I1: chunks say loaded 19, but 20 keys belong to the file$/,
      /^I1: chunks say duplicates 1, but 0 are listed$/,
    ],
  },
  {
    name: "a chunk is open",
    plant: (tx) =>
      tx`update ingest.chunks set committed_at = null where file_id = 1 and chunk_no = 0`,
    violations: [/^I1: 1 chunks were never committed$/],
  },
  {
    name: "chunks leave a gap",
    plant: (tx) =>
      tx`update ingest.chunks set byte_start = byte_start + 1 where file_id = 1 and chunk_no = 1`,
    violations: [/^I1: chunk 1 begins at byte \d+, but the one before ends at \d+$/],
  },
  {
    name: "chunks overlap",
    plant: (tx) =>
      tx`update ingest.chunks set byte_end = byte_end + 1 where file_id = 1 and chunk_no = 0`,
    violations: [/^I1: chunk 1 begins at byte \d+, but the one before ends at \d+$/],
  },
  {
    name: "chunks begin behind the start of the data",
    plant: (tx) =>
      tx`update ingest.chunks set byte_start = byte_start + 1 where file_id = 1 and chunk_no = 0`,
    violations: [/^I1: chunks cover bytes \d+ to \d+, but the data is bytes \d+ to \d+$/],
  },
  {
    name: "chunks end before the end of the data",
    plant: (tx) => tx`update ingest.files set data_end = data_end + 1 where file_id = 1`,
    violations: [/^I1: chunks cover bytes \d+ to \d+, but the data is bytes \d+ to \d+$/],
  },
  {
    name: "a loaded file has no chunks",
    plant: (tx) => tx`delete from ingest.chunks where file_id = 1`,
    violations: [
      /^I1: file counts 20\/20\/0\/0, but its chunks sum to/,
      /^I1: chunks cover bytes/,
      /^I1: chunks say loaded 0, but 20 keys belong to the file$/,
    ],
  },
  {
    name: "a file that is not loaded still counts records",
    plant: (tx) => tx`update ingest.files set state = 'failed' where file_id = 1`,
    violations: [/^I1: state failed, but chunks count 20 records as handled$/],
  },
  {
    name: "an unloaded file still has a key",
    plant: (tx) =>
      tx`
      update ingest.event_keys
      set file_id = (select file_id from ingest.files where state = 'unloaded')
      where event_id = ${LOST}`,
    violations: [
      /^I1: chunks say loaded 0, but 1 keys belong to the file$/,
      /^I1: chunks say loaded 20, but 19 keys belong to the file$/,
      /^I2: event \S+ stands at line 5 of file 1, but its key says line 5 of file \d$/,
    ],
  },
  {
    name: "a duplicate is missing",
    plant: (tx) => tx`delete from ingest.duplicates where file_id = 2 and line_number = 2`,
    violations: [/^I1: chunks say duplicates 5, but 4 are listed$/],
  },
  {
    name: "a duplicate repeats an event that no file holds",
    plant: (tx) =>
      tx`
      update ingest.duplicates set event_id = gen_random_uuid() where file_id = 2 and line_number = 2`,
    violations: [/^I2: line 2 repeats event \S+, which no file holds$/],
  },
  {
    name: "a reject is missing",
    plant: (tx) => tx`delete from ingest.rejects where file_id = 2`,
    violations: [/^I1: chunks say rejected 1, but 0 are in quarantine$/],
  },
  {
    name: "a reject was withdrawn from a loaded file",
    plant: (tx) =>
      tx`update ingest.rejects set state = 'withdrawn', resolved_at = now() where file_id = 2`,
    violations: [/^I1: chunks say rejected 1, but 0 are in quarantine$/],
  },
  {
    name: "the rollup counts one event too many",
    plant: (tx) =>
      tx`
      update shop.minute_rollup_base set events = events + 1
      where ctid = (select min(ctid) from shop.minute_rollup_base)`,
    violations: [
      /^I5: rollup of minute .* differs from its events by 1 events, 0 pieces, 0.00 revenue$/,
    ],
  },
  {
    name: "the rollup has pieces and revenue without events",
    plant: (tx) =>
      tx`
      insert into shop.minute_rollup_base
      values ('2026-01-05 12:00:00+00', 'purchase', 'x', 'mobile', 'EUR', 0, 7, 99.50)`,
    violations: [/^I5: rollup of minute .* by 0 events, 7 pieces, 99.50 revenue$/],
  },
  {
    name: "the rollup is a cent off",
    plant: (tx) =>
      tx`
      update shop.minute_rollup_base set revenue = revenue - 0.01
      where ctid = (select min(ctid) from shop.minute_rollup_base)`,
    violations: [/^I5: rollup of minute .* by 0 events, 0 pieces, -0.01 revenue$/],
  },
  {
    name: "a delta is lost",
    plant: (tx) =>
      tx`
      delete from shop.minute_rollup_delta
      where ctid = (select min(ctid) from shop.minute_rollup_delta)`,
    violations: [/^I5: rollup of minute .* by -\d+ events/],
  },
  {
    name: "a delta is there twice",
    plant: (tx) =>
      tx`
      insert into shop.minute_rollup_delta
      select * from shop.minute_rollup_delta
      where ctid = (select min(ctid) from shop.minute_rollup_delta)`,
    violations: [/^I5: rollup of minute .* by \d+ events/],
  },
  {
    name: "the rollup has a group without events",
    plant: (tx) =>
      tx`
      insert into shop.minute_rollup_delta
      values ('2026-01-05 00:00:00+00', 'purchase', '', 'tv', 'EUR', 1, 1, 1)`,
    violations: [/^I5: rollup of minute .* by 1 events, 1 pieces, 1.00 revenue$/],
  },
  {
    name: "the rollup of products counts one view too many",
    plant: (tx) =>
      tx`
      update shop.product_rollup_base set views = views + 1
      where ctid = (select min(ctid) from shop.product_rollup_base)`,
    violations: [/^I5: rollup of a product in hour .* by 1 events, 0 pieces, 0.00 revenue$/],
  },
  {
    name: "the rollup of products takes a view for a cart",
    plant: (tx) =>
      tx`
      update shop.product_rollup_base set views = views - 1, carts = carts + 1
      where ctid = (select min(ctid) from shop.product_rollup_base)`,
    violations: [/^I5: rollup of a product in hour .* by 0 events, 0 pieces, 0.00 revenue$/],
  },
  {
    name: "the rollup of products is a cent off",
    plant: (tx) =>
      tx`
      update shop.product_rollup_base set revenue = revenue - 0.01
      where ctid = (select min(ctid) from shop.product_rollup_base)`,
    violations: [/^I5: rollup of a product in hour .* by 0 events, 0 pieces, -0.01 revenue$/],
  },
  {
    name: "a delta of a product is lost",
    plant: (tx) =>
      tx`
      delete from shop.product_rollup_delta
      where ctid = (select min(ctid) from shop.product_rollup_delta)`,
    violations: [/^I5: rollup of a product in hour .* by -1 events/],
  },
  {
    name: "what was copied of a minute counts one event too many",
    plant: (tx) =>
      tx`
      update shop.minute_rollup_bulk set events = events + 1
      where ctid = (select min(ctid) from shop.minute_rollup_bulk)`,
    violations: [
      /^I5: rollup of minute .* differs from its events by 1 events, 0 pieces, 0.00 revenue$/,
    ],
  },
  {
    name: "what was copied of a minute is lost",
    plant: (tx) =>
      tx`
      delete from shop.minute_rollup_bulk
      where ctid = (select min(ctid) from shop.minute_rollup_bulk)`,
    violations: [/^I5: rollup of minute .* by -1 events/],
  },
  {
    name: "what was copied of a product is a cent off",
    plant: (tx) =>
      tx`
      update shop.product_rollup_bulk set revenue = revenue - 0.01
      where ctid = (select min(ctid) from shop.product_rollup_bulk)`,
    violations: [/^I5: rollup of a product in hour .* by 0 events, 0 pieces, -0.01 revenue$/],
  },
  {
    name: "what was copied of a product is there twice",
    plant: (tx) =>
      tx`
      insert into shop.product_rollup_bulk
      select * from shop.product_rollup_bulk
      where ctid = (select min(ctid) from shop.product_rollup_bulk)`,
    violations: [/^I5: rollup of a product in hour .* by 1 events/],
  },
];

Deno.test("ingest.verify() finds what is wrong, and nothing else", async (t) => {
  await using house = await history();
  assert.deepEqual(await house.violations(), []);
  for (const { name, plant, violations } of DAMAGES) {
    await t.step(name, async () => {
      const found = await violationsOf(house, plant);
      assert.equal(found.length, violations.length, found.join("\n"));
      for (const expected of violations) {
        assert.ok(
          found.some((violation) => expected.test(violation)),
          `${expected}\n${found.join("\n")}`,
        );
      }
    });
  }
  assert.deepEqual(await house.violations(), []);
});

Deno.test("ingest.verify() looks at one file when asked to", async () => {
  await using house = await history();
  await house.admin`update ingest.files set records = records + 1 where file_id = 1`;
  assert.equal((await house.violations(1)).length, 2);
  assert.deepEqual(await house.violations(2), []);
});

Deno.test("ingest.verify() counts from the horizon", async () => {
  await using house = await history();
  await house.admin`update ingest.horizon set events_from = '2026-02-01 00:00:00+00'`;
  assert.deepEqual(await house.violations(), []);
  await house.admin`drop table shop.events_2026_01`;
  assert.deepEqual(await house.violations(), []);
});

Deno.test("ingest.record_verification() stores what it found", async () => {
  await using house = await history();
  const { sql } = house.deps;
  assert.equal((await sql`select * from ingest.record_verification()`).length, 0);
  await house.admin`update ingest.files set records = records + 1 where file_id = 1`;
  assert.equal((await sql`select * from ingest.record_verification(1)`).length, 2);
  const stored = await house.admin`
    select file_id::int as file_id, violations, jsonb_array_length(outcome) as outcomes
    from ingest.verifications order by verification_id`;
  assert.deepEqual(stored.map((row) => ({ ...row })), [
    { file_id: null, violations: 0, outcomes: 0 },
    { file_id: 1, violations: 2, outcomes: 2 },
  ]);
});

/** Files with everything in them: several chunks, duplicates, rejects, an unload, folded and open deltas, and what was copied. */
async function history(): Promise<Warehouse> {
  const house = await warehouse();
  await ingest(house, await house.land("a.csv", csv(events(0, 20))));
  const mixed = [...events(5, 10), event(50, { price: "x" }), ...events(30, 35)];
  await ingest(house, await house.land("b.csv", csv(mixed)));
  const gone = await ingest(house, await house.land("c.csv", csv(events(60, 70))));
  await unload(house, gone.fileId);
  await house.deps.sql`select shop.fold_rollups()`;
  await ingest(house, await house.land("d.csv", csv([...events(200, 220), event(201)])));
  house.deps.leastRowsToCopy = 1;
  await ingest(house, await house.land("e.csv", csv(events(300, 320))));
  return house;
}

/** The file that was unloaded gets another end, and a copy whose bytes lie in the archive. */
async function plantDuplicate(tx: postgres.TransactionSql, state: "failed" | "cancelled") {
  await tx`update ingest.files set state = ${state} where state = 'unloaded'`;
  await tx`
    insert into ingest.files (feed, contract_version, inbox_id, path, file_name, ino, size_bytes, mtime_ms,
      ctime_ms, workflow_id, discovered_at, settled_at, state, duplicate_of, archive_path)
    select feed, 1, inbox_id, 'copy.csv', 'copy.csv', 1, 1, 1, 1, 'copy', now(), now(), 'duplicate', file_id,
           'archive/copy.csv'
    from ingest.files where state = ${state}`;
}

/** Violations after some damage, which is then undone. */
async function violationsOf({ admin }: Warehouse, plant: Damage["plant"]): Promise<string[]> {
  const undo = new Error("undo");
  let found: string[] = [];
  await admin.begin(async (tx) => {
    await plant(tx);
    const rows = await tx`select invariant, violation from ingest.verify()`;
    found = rows.map((row) => `${row.invariant}: ${row.violation}`);
    throw undo;
  }).catch((error) => {
    if (error !== undo) throw error;
  });
  return found;
}
