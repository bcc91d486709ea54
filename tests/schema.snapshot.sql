-- Written by `deno run -A tests/sql/write_schema_snapshot.ts`: the schema after all migrations.

type shop.event_split as enum ('all', 'category', 'device');
-- What totals of the rollup by minute can be split by.

type shop.product_measure as enum ('views', 'carts', 'purchases', 'quantity', 'revenue');
-- What products can be ranked by.

type shop.session_split as enum ('all', 'category', 'device', 'country');
-- What sessions can be split by: nothing, or a column of their events.

table ingest.chunks;
-- The plan of a file and its progress. One row per chunk: a byte range cut at record borders, committed in one transaction.

column ingest.chunks.file_id bigint not null;
-- The file.

column ingest.chunks.chunk_no integer not null;
-- Number of the chunk, from 0.

column ingest.chunks.byte_start bigint not null;
-- Offset of its first byte in the expanded file.

column ingest.chunks.byte_end bigint not null;
-- Offset after its last byte.

column ingest.chunks.first_line integer not null;
-- Line number at byte_start; the header is line 1.

column ingest.chunks.checksum text not null;
-- First 16 bytes of the sha-256 of its bytes, as hex.

column ingest.chunks.records integer not null;
-- Records in the range, counted by the plan.

column ingest.chunks.loaded integer not null default 0;
-- Records that became rows; 0 while planned.

column ingest.chunks.duplicates integer not null default 0;
-- Records found to be there already.

column ingest.chunks.rejected integer not null default 0;
-- Records that broke the contract.

column ingest.chunks.epoch integer;
-- Epoch of the attempt that committed it.

column ingest.chunks.attempt integer;
-- Attempt of the activity that committed it.

column ingest.chunks.worker text;
-- Worker that committed it.

column ingest.chunks.committed_at timestamp with time zone;
-- Null while planned.

constraint chunks_add_up on ingest.chunks CHECK (((committed_at IS NULL) OR (records = ((loaded + duplicates) + rejected))));

constraint chunks_file_id_fkey on ingest.chunks FOREIGN KEY (file_id) REFERENCES ingest.files(file_id) ON DELETE CASCADE;

constraint chunks_pkey on ingest.chunks PRIMARY KEY (file_id, chunk_no);

constraint chunks_range on ingest.chunks CHECK ((byte_start < byte_end));

CREATE UNIQUE INDEX chunks_pkey ON ingest.chunks USING btree (file_id, chunk_no);
-- Serves: the chunks of a file.

grant INSERT, SELECT, UPDATE on ingest.chunks to clickledger_ingest;

grant SELECT on ingest.chunks to clickledger_operator;

grant SELECT on ingest.chunks to clickledger_reader;

table ingest.duplicates;
-- Records whose event was loaded before with equal content. One row per such record.

column ingest.duplicates.file_id bigint not null;
-- The file of the second copy.

column ingest.duplicates.line_number integer not null;
-- Its line.

column ingest.duplicates.event_id uuid not null;
-- The event; ingest.event_keys says where it was loaded from.

constraint duplicates_file_id_fkey on ingest.duplicates FOREIGN KEY (file_id) REFERENCES ingest.files(file_id);

constraint duplicates_pkey on ingest.duplicates PRIMARY KEY (file_id, line_number);

CREATE INDEX duplicates_by_event ON ingest.duplicates USING btree (event_id);
-- Serves: who else has this event, when its file is unloaded.

CREATE UNIQUE INDEX duplicates_pkey ON ingest.duplicates USING btree (file_id, line_number);
-- Serves: the duplicates of a file and line.

grant DELETE, INSERT, SELECT on ingest.duplicates to clickledger_ingest;

grant SELECT on ingest.duplicates to clickledger_operator;

grant SELECT on ingest.duplicates to clickledger_reader;

table ingest.event_keys;
-- The one authority on what was loaded, kept also when old events are dropped. One row per event.

column ingest.event_keys.event_id uuid not null;
-- The event.

column ingest.event_keys.event_time timestamp with time zone not null;
-- Leads to the partition of shop.events.

column ingest.event_keys.file_id bigint not null;
-- The file that the event came from.

column ingest.event_keys.content_hash bigint not null;
-- Hash of the canonical values of the contract's columns.

column ingest.event_keys.line_number integer not null;
-- First physical line of the record in that file.

constraint event_keys_pkey on ingest.event_keys PRIMARY KEY (event_id);

CREATE INDEX event_keys_file_brin ON ingest.event_keys USING brin (file_id) WITH (pages_per_range='32', autosummarize='on');
-- Serves: which events has this file? A block range index: keys of a file lie together, so it costs next to nothing on load.

CREATE UNIQUE INDEX event_keys_pkey ON ingest.event_keys USING btree (event_id);
-- Serves: is this event there already? The one b-tree that every loaded event pays for: measured at 0.8 s per million with ids in time order (UUIDv7), 3 to 4 s with random ones (2 cores).

grant DELETE, INSERT, SELECT, UPDATE on ingest.event_keys to clickledger_ingest;

grant SELECT on ingest.event_keys to clickledger_operator;

grant SELECT on ingest.event_keys to clickledger_reader;

table ingest.files;
-- Every version of every file that was seen. One row per version of a file.

column ingest.files.file_id bigint not null;
-- Number of the file version; part of its name in the archive.

column ingest.files.feed text not null;
-- The feed whose contract the file is read under.

column ingest.files.contract_version integer not null;
-- Version of the contract that the file was first read under.

column ingest.files.inbox_id uuid not null;
-- The inbox in which the file landed (its .clickledger-inbox).

column ingest.files.path text not null;
-- Where the bytes were read.

column ingest.files.file_name text not null;
-- Name under which the file landed.

column ingest.files.ino bigint not null;
-- Inode at discovery.

column ingest.files.size_bytes bigint not null;
-- Size at discovery, bytes.

column ingest.files.mtime_ms double precision not null;
-- Modification time at discovery, milliseconds since 1970.

column ingest.files.ctime_ms double precision not null;
-- Change time at discovery, milliseconds since 1970.

column ingest.files.sha256 text;
-- Hash of the bytes as they lie on disk; null while unread.

column ingest.files.ends_with_newline boolean;
-- Whether the last record had a line end; if not it may have been cut. Null while unread, and while what contradicted a cut record, taken out by now, is being loaded.

column ingest.files.data_start bigint;
-- Offset after the header in the expanded file; chunks begin here.

column ingest.files.data_end bigint;
-- Size of the expanded file; chunks end here.

column ingest.files.dialect jsonb;
-- Delimiter, encoding and byte order mark, found from the first record.

column ingest.files.header jsonb;
-- Column names of the file, in its order.

column ingest.files.state text not null default 'loading'::text;
-- loading, loaded, failed, duplicate, cancelled, unloading or unloaded.

column ingest.files.unload_to text;
-- While unloading: the state that follows.

column ingest.files.epoch integer not null default 1;
-- Fencing token: raised by claim, cancel and unload; a transaction of another epoch is refused.

column ingest.files.workflow_id text not null;
-- The workflow that owns the file.

column ingest.files.run_id text;
-- Its latest run.

column ingest.files.records bigint;
-- Records after the header; null until loaded.

column ingest.files.loaded bigint;
-- Records that became rows of shop.events.

column ingest.files.duplicates bigint;
-- Records whose event was already there, with equal content.

column ingest.files.rejected bigint;
-- Records that broke the contract.

column ingest.files.error_code text;
-- Why the file as a whole was not loaded.

column ingest.files.error_message text;
-- The same for people, with what to do. Never holds a cell value.

column ingest.files.duplicate_of bigint;
-- The file that already holds these bytes.

column ingest.files.supersedes bigint;
-- The older version that landed under the same name.

column ingest.files.retry_of bigint;
-- The file that this row loads once more.

column ingest.files.archive_path text;
-- Where the bytes are, or are about to be, after settling.

column ingest.files.closed_at timestamp with time zone;
-- When the writer was done, as far as it was seen.

column ingest.files.discovered_at timestamp with time zone not null;
-- When the watcher took the file for ready.

column ingest.files.started_at timestamp with time zone not null default now();
-- When a worker first claimed it.

column ingest.files.committed_at timestamp with time zone;
-- When the last chunk was committed.

column ingest.files.settled_at timestamp with time zone;
-- When the file was moved and nothing remained to do.

column ingest.files.paused_at timestamp with time zone;
-- Since when a person has it paused; null while it goes on.

column ingest.files.replaced_by bigint;
-- The version that it was taken out for: of records in conflict, those of that one are loaded first.

constraint files_duplicate_names_original on ingest.files CHECK (((state = 'duplicate'::text) <= (duplicate_of IS NOT NULL)));

constraint files_duplicate_of_fkey on ingest.files FOREIGN KEY (duplicate_of) REFERENCES ingest.files(file_id);

constraint files_error_code_known on ingest.files CHECK ((error_code = ANY (ARRAY['refused'::text, 'unreadable'::text, 'unreadable_name'::text, 'vanished'::text, 'empty_file'::text, 'unsupported_encoding'::text, 'broken_compression'::text, 'too_large_expanded'::text, 'header_not_recognised'::text, 'missing_column'::text, 'duplicate_column'::text, 'unexpected_column'::text, 'changed'::text, 'replaced'::text, 'error_budget'::text, 'cancelled'::text])));

constraint files_feed_fkey on ingest.files FOREIGN KEY (feed) REFERENCES ingest.horizon(feed);

constraint files_pkey on ingest.files PRIMARY KEY (file_id);

constraint files_replaced_by_fkey on ingest.files FOREIGN KEY (replaced_by) REFERENCES ingest.files(file_id);

constraint files_retry_of_fkey on ingest.files FOREIGN KEY (retry_of) REFERENCES ingest.files(file_id);

constraint files_settled_is_final on ingest.files CHECK (((settled_at IS NULL) OR (state <> ALL (ARRAY['loading'::text, 'unloading'::text]))));

constraint files_sha256_check on ingest.files CHECK ((sha256 ~ '^[0-9a-f]{64}$'::text));

constraint files_state_known on ingest.files CHECK ((state = ANY (ARRAY['loading'::text, 'loaded'::text, 'failed'::text, 'duplicate'::text, 'cancelled'::text, 'unloading'::text, 'unloaded'::text])));

constraint files_supersedes_fkey on ingest.files FOREIGN KEY (supersedes) REFERENCES ingest.files(file_id);

constraint files_unload_to_known on ingest.files CHECK ((unload_to = ANY (ARRAY['unloaded'::text, 'failed'::text, 'cancelled'::text])));

constraint files_unload_to_with_state on ingest.files CHECK (((state = 'unloading'::text) = (unload_to IS NOT NULL)));

CREATE INDEX files_by_name ON ingest.files USING btree (inbox_id, file_name);
-- Serves: the older version under the same name, and files by name.

CREATE INDEX files_duplicates ON ingest.files USING btree (duplicate_of) WHERE (duplicate_of IS NOT NULL);
-- Serves: copies of a file, when it is given up.

CREATE INDEX files_recently_archived ON ingest.files USING btree (inbox_id, settled_at) WHERE (archive_path IS NOT NULL);
-- Serves: files archived lately, which may have grown since.

CREATE INDEX files_unfinished ON ingest.files USING btree (inbox_id) WHERE (settled_at IS NULL);
-- Serves: what is unfinished, asked by each listing. Holds only that.

CREATE UNIQUE INDEX files_content_key ON ingest.files USING btree (feed, sha256) WHERE (state = ANY (ARRAY['loading'::text, 'loaded'::text, 'unloading'::text]));
-- Keeps the same bytes from being loaded twice, also by two claims that race.

CREATE UNIQUE INDEX files_pkey ON ingest.files USING btree (file_id);
-- Serves: a file by its number.

CREATE UNIQUE INDEX files_workflow_key ON ingest.files USING btree (workflow_id);
-- Serves: the file of a workflow, when it is claimed.

grant INSERT, SELECT, UPDATE on ingest.files to clickledger_ingest;

grant SELECT on ingest.files to clickledger_operator;

grant SELECT on ingest.files to clickledger_reader;

table ingest.horizon;
-- The time before which the events of a feed have been dropped by retention. One row per feed.

column ingest.horizon.feed text not null;
-- Name of the feed.

column ingest.horizon.events_from timestamp with time zone not null default '2000-01-01 00:00:00+00'::timestamp with time zone;
-- First of a month, UTC. An older arrival is rejected with before_horizon.

constraint horizon_is_month on ingest.horizon CHECK ((events_from = date_trunc('month'::text, events_from, 'UTC'::text)));

constraint horizon_pkey on ingest.horizon PRIMARY KEY (feed);

CREATE UNIQUE INDEX horizon_pkey ON ingest.horizon USING btree (feed);
-- Serves: the horizon of a feed.

grant SELECT on ingest.horizon to clickledger_operator;

grant SELECT on ingest.horizon to clickledger_reader;

view ingest.lag as
 SELECT file_id,
    file_name,
    state,
    closed_at,
    discovered_at,
    started_at,
    committed_at,
    settled_at,
    round(((1000)::numeric * EXTRACT(epoch FROM (discovered_at - COALESCE(closed_at, discovered_at)))), 1) AS discover_ms,
    round(((1000)::numeric * EXTRACT(epoch FROM (started_at - discovered_at))), 1) AS start_ms,
    round(((1000)::numeric * EXTRACT(epoch FROM (committed_at - started_at))), 1) AS load_ms,
    round(((1000)::numeric * EXTRACT(epoch FROM (settled_at - committed_at))), 1) AS settle_ms,
    round(((1000)::numeric * EXTRACT(epoch FROM (committed_at - COALESCE(closed_at, discovered_at)))), 1) AS lag_ms
   FROM ingest.files f;
-- Stages of each file and the time between them, milliseconds; null where a stage was not reached. One row per version of a file.

column ingest.lag.file_id bigint;
-- The file.

column ingest.lag.file_name text;
-- Name under which it landed.

column ingest.lag.state text;
-- State in the ledger.

column ingest.lag.closed_at timestamp with time zone;
-- When the writer was done, as far as it was seen; null where only a listing found the file.

column ingest.lag.discovered_at timestamp with time zone;
-- When the watcher took the file for ready.

column ingest.lag.started_at timestamp with time zone;
-- When a worker first claimed it.

column ingest.lag.committed_at timestamp with time zone;
-- When its last chunk was committed.

column ingest.lag.settled_at timestamp with time zone;
-- When it was moved and nothing remained to do.

column ingest.lag.discover_ms numeric;
-- From closed to discovered.

column ingest.lag.start_ms numeric;
-- From discovered to started; the clocks of watcher and database may differ by a little.

column ingest.lag.load_ms numeric;
-- From started to committed.

column ingest.lag.settle_ms numeric;
-- From committed to settled.

column ingest.lag.lag_ms numeric;
-- From closed (or discovered) to committed: when its last row could be queried.

grant SELECT on ingest.lag to clickledger_operator;

grant SELECT on ingest.lag to clickledger_reader;

view ingest.lag_by_minute as
 SELECT date_trunc('minute'::text, committed_at, 'UTC'::text) AS minute,
    count(*) AS files,
    round((percentile_cont((0.5)::double precision) WITHIN GROUP (ORDER BY ((lag_ms)::double precision)))::numeric, 1) AS p50_ms,
    round((percentile_cont((0.95)::double precision) WITHIN GROUP (ORDER BY ((lag_ms)::double precision)))::numeric, 1) AS p95_ms,
    round((percentile_cont((0.99)::double precision) WITHIN GROUP (ORDER BY ((lag_ms)::double precision)))::numeric, 1) AS p99_ms,
    max(lag_ms) AS max_ms
   FROM ingest.lag l
  WHERE ((state = 'loaded'::text) AND (committed_at IS NOT NULL))
  GROUP BY (date_trunc('minute'::text, committed_at, 'UTC'::text));
-- Lag of loaded files over time, milliseconds. One row per minute in which a file was committed.

column ingest.lag_by_minute.minute timestamp with time zone;
-- Start of the minute, UTC.

column ingest.lag_by_minute.files bigint;
-- Files committed in it.

column ingest.lag_by_minute.p50_ms numeric;
-- Median lag.

column ingest.lag_by_minute.p95_ms numeric;
-- 95th percentile.

column ingest.lag_by_minute.p99_ms numeric;
-- 99th percentile.

column ingest.lag_by_minute.max_ms numeric;
-- Longest.

grant SELECT on ingest.lag_by_minute to clickledger_operator;

grant SELECT on ingest.lag_by_minute to clickledger_reader;

view ingest.manifest_checks as
 SELECT m.manifest_id,
    m.file_name,
    f.file_id,
    m.seen_at,
        CASE
            WHEN (m.error IS NOT NULL) THEN 'unreadable'::text
            WHEN (f.file_id IS NULL) THEN 'missing'::text
            WHEN (f.state = ANY (ARRAY['loading'::text, 'unloading'::text])) THEN 'under way'::text
            WHEN ((f.state <> 'loaded'::text) AND (f.duplicate_of IS NULL)) THEN f.state
            WHEN ((m.sha256 IS NOT NULL) AND (m.sha256 <> f.sha256)) THEN 'altered'::text
            WHEN (l.records < m.rows) THEN 'short'::text
            WHEN (l.records > m.rows) THEN 'long'::text
            WHEN ((m.amount IS NOT NULL) AND (l.loaded = l.records) AND (m.amount <> a.amount)) THEN 'amount differs'::text
            ELSE 'complete'::text
        END AS verdict,
    m.rows AS expected_rows,
    l.records AS found_rows,
    m.amount AS expected_amount,
    a.amount AS found_amount,
    m.error
   FROM (((ingest.manifests m
     LEFT JOIN LATERAL ( SELECT x.file_id,
            x.state,
            x.sha256,
            x.duplicate_of
           FROM ingest.files x
          WHERE ((x.inbox_id = m.inbox_id) AND (x.file_name = m.file_name))
          ORDER BY x.file_id DESC
         LIMIT 1) f ON (true))
     LEFT JOIN ingest.files l ON (((l.file_id = COALESCE(f.duplicate_of, f.file_id)) AND (l.state = 'loaded'::text))))
     LEFT JOIN LATERAL ( SELECT sum((e.price * (e.quantity)::numeric)) AS amount
           FROM shop.events e
          WHERE ((e.file_id = l.file_id) AND (m.amount IS NOT NULL))) a ON (true));
-- What producers said of their files against what was loaded, always as of now. verdict: complete; missing (no file of this name), under way, short or long (fewer or more records), altered (other bytes), amount differs, a state such as failed, or unreadable (the manifest). The newest version of a file counts; the amount is compared where all its records were loaded. One row per manifest.

column ingest.manifest_checks.manifest_id bigint;
-- The manifest.

column ingest.manifest_checks.file_name text;
-- Name of the file that it speaks of.

column ingest.manifest_checks.file_id bigint;
-- Newest file of that name; null where none has landed.

column ingest.manifest_checks.seen_at timestamp with time zone;
-- When the manifest was read.

column ingest.manifest_checks.verdict text;
-- What comparing them says.

column ingest.manifest_checks.expected_rows bigint;
-- Records by the manifest.

column ingest.manifest_checks.found_rows bigint;
-- Records by the ledger.

column ingest.manifest_checks.expected_amount numeric(20,2);
-- Sum of price times quantity by the manifest.

column ingest.manifest_checks.found_amount numeric;
-- The same of the events that came from the file.

column ingest.manifest_checks.error text;
-- Why the manifest could not be read.

grant SELECT on ingest.manifest_checks to clickledger_operator;

grant SELECT on ingest.manifest_checks to clickledger_reader;

table ingest.manifests;
-- Manifests as they were read. One row per manifest.

column ingest.manifests.manifest_id bigint not null;
-- Number of the manifest.

column ingest.manifests.inbox_id uuid not null;
-- The inbox in which it landed.

column ingest.manifests.file_name text not null;
-- Name of the file that it speaks of.

column ingest.manifests.rows bigint;
-- Records that the file has to have.

column ingest.manifests.amount numeric(20,2);
-- Sum of price times quantity over all of its records.

column ingest.manifests.sha256 text;
-- Hash of its bytes as they lie on disk.

column ingest.manifests.error text;
-- Why the manifest itself could not be read; null when it could.

column ingest.manifests.seen_at timestamp with time zone not null default now();
-- When it was read.

constraint manifests_pkey on ingest.manifests PRIMARY KEY (manifest_id);

constraint manifests_say_something on ingest.manifests CHECK (((error IS NOT NULL) OR (COALESCE((rows)::text, (amount)::text, sha256) IS NOT NULL)));

constraint manifests_sha256_check on ingest.manifests CHECK ((sha256 ~ '^[0-9a-f]{64}$'::text));

CREATE INDEX manifests_by_name ON ingest.manifests USING btree (inbox_id, file_name);
-- Serves: what was said of a file.

CREATE UNIQUE INDEX manifests_pkey ON ingest.manifests USING btree (manifest_id);
-- Serves: a manifest by its number.

grant INSERT, SELECT on ingest.manifests to clickledger_ingest;

grant SELECT on ingest.manifests to clickledger_operator;

grant SELECT on ingest.manifests to clickledger_reader;

table ingest.migrations;
-- What was applied to this database. One row per file of sql/.

column ingest.migrations.version integer not null;
-- Number of the file.

column ingest.migrations.name text not null;
-- Its name.

column ingest.migrations.checksum text not null;
-- sha-256 of its text; a change is refused.

column ingest.migrations.applied_at timestamp with time zone not null default now();
-- When.

constraint migrations_pkey on ingest.migrations PRIMARY KEY (version);

CREATE UNIQUE INDEX migrations_pkey ON ingest.migrations USING btree (version);
-- Serves: what was applied.

grant SELECT on ingest.migrations to clickledger_operator;

grant SELECT on ingest.migrations to clickledger_reader;

table ingest.rejects;
-- The quarantine. One row per record that broke the contract.

column ingest.rejects.reject_id bigint not null;
-- Number of the reject.

column ingest.rejects.file_id bigint not null;
-- Its file.

column ingest.rejects.line_number integer not null;
-- First physical line of the record.

column ingest.rejects.byte_start bigint not null;
-- Offset of its first byte in the expanded file.

column ingest.rejects.byte_length bigint not null;
-- Length in bytes without the line end.

column ingest.rejects.raw bytea not null;
-- The bytes as they were; bytea, because NUL and invalid UTF-8 fit nowhere else.

column ingest.rejects.raw_truncated boolean not null default false;
-- Whether raw holds only the beginning.

column ingest.rejects.faults jsonb not null;
-- Array of {code, column, expected}; never the value.

column ingest.rejects.corrected bytea;
-- A correction that a person stored, to be replayed.

column ingest.rejects.state text not null default 'open'::text;
-- open, replayed, waived or withdrawn (its file was unloaded).

column ingest.rejects.contract_version integer not null;
-- Contract that it broke.

column ingest.rejects.created_at timestamp with time zone not null default now();
-- When it was rejected.

column ingest.rejects.resolved_at timestamp with time zone;
-- When it left the state open.

column ingest.rejects.reason text;
-- Why a person waived it.

column ingest.rejects.event_id uuid;
-- The event that the record names; null where that cannot be told. Of a record in conflict: the event that another record holds with other content.

column ingest.rejects.content_hash bigint;
-- Of a record in conflict: its own, as in ingest.event_keys. Once no key has another one, it may be replayed. Null for other faults.

constraint rejects_faults_known on ingest.rejects CHECK (((jsonb_array_length(faults) > 0) AND (NOT jsonb_path_exists(faults, '$[*]?(!(@."code".type() == "string" && @."code" like_regex "^(broken_quote|record_too_long|too_many_columns|invalid_utf8|nul_byte|wrong_column_count|repeated_header|missing_value|invalid_uuid|invalid_timestamp|invalid_number|out_of_range|unknown_value|too_long|control_character|purchase_without_order|order_without_purchase|view_with_quantity|before_horizon|conflicting_event)$"))'::jsonpath))));

constraint rejects_faults_without_value on ingest.rejects CHECK ((NOT jsonb_path_exists(faults, '$[*].keyvalue()?(!(@."key" like_regex "^(code|column|expected)$"))'::jsonpath)));

constraint rejects_file_id_fkey on ingest.rejects FOREIGN KEY (file_id) REFERENCES ingest.files(file_id);

constraint rejects_pkey on ingest.rejects PRIMARY KEY (reject_id);

constraint rejects_resolved on ingest.rejects CHECK (((state = 'open'::text) = (resolved_at IS NULL)));

constraint rejects_state_known on ingest.rejects CHECK ((state = ANY (ARRAY['open'::text, 'replayed'::text, 'waived'::text, 'withdrawn'::text])));

CREATE INDEX rejects_by_event ON ingest.rejects USING btree (event_id) WHERE (event_id IS NOT NULL);
-- Serves: the rejects that name an event.

CREATE INDEX rejects_corrected ON ingest.rejects USING btree (reject_id) WHERE (corrected IS NOT NULL);
-- Serves: the rejects whose correction may name another event.

CREATE INDEX rejects_in_conflict ON ingest.rejects USING btree (event_id) WHERE ((state = 'open'::text) AND (faults @> '[{"code": "conflicting_event"}]'::jsonb));
-- Serves: which open conflicts does nothing contradict any more? Grows with open conflicts only.

CREATE INDEX rejects_nameless ON ingest.rejects USING btree (reject_id) WHERE (event_id IS NULL);
-- Serves: the rejects whose bytes have to be searched for an event.

CREATE UNIQUE INDEX rejects_by_line ON ingest.rejects USING btree (file_id, line_number) WHERE (state <> 'withdrawn'::text);
-- Keeps a line from being rejected twice, and serves: the rejects of a file.

CREATE UNIQUE INDEX rejects_pkey ON ingest.rejects USING btree (reject_id);
-- Serves: a reject by its number.

grant INSERT, SELECT, UPDATE on ingest.rejects to clickledger_ingest;

grant SELECT on ingest.rejects to clickledger_operator;

grant SELECT (reject_id, file_id, line_number, byte_start, byte_length, raw_truncated, faults, state, contract_version, created_at, resolved_at, reason, event_id, content_hash) on ingest.rejects to clickledger_reader;

table ingest.verifications;
-- Outcomes of the proof. One row per run of verify.

column ingest.verifications.verification_id bigint not null;
-- Number of the run.

column ingest.verifications.file_id bigint;
-- The file that was verified; null: all.

column ingest.verifications.verified_at timestamp with time zone not null default now();
-- When.

column ingest.verifications.violations integer not null;
-- How many violations; 0 means proven.

column ingest.verifications.outcome jsonb not null;
-- The violations, as ingest.verify() returned them.

constraint verifications_pkey on ingest.verifications PRIMARY KEY (verification_id);

CREATE UNIQUE INDEX verifications_pkey ON ingest.verifications USING btree (verification_id);
-- Serves: a run of verify by its number.

grant SELECT on ingest.verifications to clickledger_operator;

grant SELECT on ingest.verifications to clickledger_reader;

table shop.events partition by RANGE (event_time);
-- What users did in the shop. One row per event; every event_id stands here once.

column shop.events.event_id uuid not null;
-- The producer's id of the event, unique across all files.

column shop.events.event_time timestamp with time zone not null;
-- When the user acted.

column shop.events.event_type text not null;
-- product_view, add_to_cart, remove_from_cart or purchase.

column shop.events.user_id text not null;
-- The user, as the shop names them.

column shop.events.session_id uuid not null;
-- The visit that the event belongs to.

column shop.events.product_id text not null;
-- The product.

column shop.events.product_name text not null;
-- Its name at the time.

column shop.events.category text not null;
-- Its category, levels joined by a dot; may be empty.

column shop.events.brand text not null;
-- Its brand; may be empty.

column shop.events.price numeric(12,2) not null;
-- Price of one piece, in currency.

column shop.events.currency character(3) not null;
-- ISO 4217 code.

column shop.events.quantity integer not null;
-- Pieces; 1 on a view.

column shop.events.order_id uuid;
-- The order; on purchases only. An order may have several lines.

column shop.events.device text not null;
-- desktop, mobile or tablet.

column shop.events.country character(2) not null;
-- ISO 3166-1 alpha-2 code.

column shop.events.processed_at timestamp with time zone not null default now();
-- When the transaction began that committed the row. When the row could be seen is committed_at of its chunk.

column shop.events.file_id bigint not null;
-- The file it came from: ingest.files.

column shop.events.line_number integer not null;
-- First physical line of the record in that file.

column shop.events.extras jsonb;
-- Columns that the contract does not know, as they came.

constraint events_order_of_purchase on shop.events CHECK (((event_type = 'purchase'::text) = (order_id IS NOT NULL)));

constraint events_price_not_negative on shop.events CHECK ((price >= (0)::numeric));

constraint events_quantity_range on shop.events CHECK (((quantity >= 1) AND (quantity <= 1000)));

constraint events_type_known on shop.events CHECK ((event_type = ANY (ARRAY['product_view'::text, 'add_to_cart'::text, 'remove_from_cart'::text, 'purchase'::text])));

CREATE INDEX events_file_brin ON ONLY shop.events USING brin (file_id) WITH (pages_per_range='32', autosummarize='on');
-- Serves: events of a file, for unload and why. A block range index, as above.

CREATE INDEX events_time_brin ON ONLY shop.events USING brin (event_time) WITH (pages_per_range='32', autosummarize='on');
-- Serves: events of a period, within a month. A block range index: rows arrive nearly ordered by time, so it costs next to nothing on load.

grant DELETE, INSERT, SELECT, UPDATE on shop.events to clickledger_ingest;

grant SELECT on shop.events to clickledger_operator;

grant SELECT on shop.events to clickledger_reader;

view shop.minute_rollup as
 SELECT minute,
    event_type,
    category,
    device,
    currency,
    (sum(events))::bigint AS events,
    (sum(quantity))::bigint AS quantity,
    (sum(revenue))::numeric(20,2) AS revenue
   FROM shop.minute_rollup_parts r
  GROUP BY minute, event_type, category, device, currency
 HAVING (sum(events) <> (0)::numeric);
-- Events, quantity and revenue, live to the last commit. One row per minute, event type, category, device and currency. Revenue counts purchases when filtered by event_type = 'purchase'.

column shop.minute_rollup.minute timestamp with time zone;
-- Start of the minute.

column shop.minute_rollup.event_type text;
-- Event type.

column shop.minute_rollup.category text;
-- Category; empty where events have none.

column shop.minute_rollup.device text;
-- Device.

column shop.minute_rollup.currency character(3);
-- Currency of revenue.

column shop.minute_rollup.events bigint;
-- Number of events.

column shop.minute_rollup.quantity bigint;
-- Sum of quantity.

column shop.minute_rollup.revenue numeric(20,2);
-- Sum of price times quantity.

grant SELECT on shop.minute_rollup to clickledger_operator;

grant SELECT on shop.minute_rollup to clickledger_reader;

table shop.minute_rollup_base;
-- Folded part of shop.minute_rollup; negative where an unload took away what was copied. One row per minute, event type, category, device and currency.

column shop.minute_rollup_base.minute timestamp with time zone not null;
-- Start of the minute.

column shop.minute_rollup_base.event_type text not null;
-- Event type.

column shop.minute_rollup_base.category text not null;
-- Category; empty where events have none.

column shop.minute_rollup_base.device text not null;
-- Device.

column shop.minute_rollup_base.currency character(3) not null;
-- Currency of revenue; sums across currencies mean nothing.

column shop.minute_rollup_base.events bigint not null;
-- Number of events.

column shop.minute_rollup_base.quantity bigint not null;
-- Sum of quantity.

column shop.minute_rollup_base.revenue numeric(20,2) not null;
-- Sum of price times quantity.

constraint minute_rollup_base_pkey on shop.minute_rollup_base PRIMARY KEY (minute, event_type, category, device, currency);

CREATE INDEX minute_rollup_base_zero ON shop.minute_rollup_base USING btree (minute) WHERE ((events = 0) AND (quantity = 0) AND (revenue = (0)::numeric));
-- Serves: groups that an unload brought to zero. Empty but for these.

CREATE UNIQUE INDEX minute_rollup_base_pkey ON shop.minute_rollup_base USING btree (minute, event_type, category, device, currency);
-- Serves: groups of a period, and the folder that looks for a group. Paid by the folder, not by loads.

grant SELECT on shop.minute_rollup_base to clickledger_operator;

grant SELECT on shop.minute_rollup_base to clickledger_reader;

table shop.minute_rollup_bulk;
-- Part of shop.minute_rollup that large loads copied; append-only. A few rows, to be summed, per minute, event type, category, device and currency; what an unload took away is in the other parts.

column shop.minute_rollup_bulk.minute timestamp with time zone not null;
-- Start of the minute.

column shop.minute_rollup_bulk.event_type text not null;
-- Event type.

column shop.minute_rollup_bulk.category text not null;
-- Category; empty where events have none.

column shop.minute_rollup_bulk.device text not null;
-- Device.

column shop.minute_rollup_bulk.currency character(3) not null;
-- Currency of revenue; sums across currencies mean nothing.

column shop.minute_rollup_bulk.events bigint not null;
-- Number of events.

column shop.minute_rollup_bulk.quantity bigint not null;
-- Sum of quantity.

column shop.minute_rollup_bulk.revenue numeric(20,2) not null;
-- Sum of price times quantity.

CREATE INDEX minute_rollup_bulk_brin ON shop.minute_rollup_bulk USING brin (minute timestamptz_minmax_multi_ops) WITH (pages_per_range='32');
-- Serves: groups of a period. A block range index: what a chunk copies lies in the order of time, so it costs next to nothing on load. The folder sees to new ranges.

CREATE INDEX minute_rollup_bulk_sold ON shop.minute_rollup_bulk USING btree (minute) INCLUDE (category, device, currency, events, quantity, revenue) WHERE (event_type = 'purchase'::text);
-- Serves: revenue of a period. Holds the groups of purchases, some 2 % of all.

grant INSERT on shop.minute_rollup_bulk to clickledger_ingest;

grant SELECT on shop.minute_rollup_bulk to clickledger_operator;

grant SELECT on shop.minute_rollup_bulk to clickledger_reader;

table shop.minute_rollup_delta;
-- Changes not yet folded into shop.minute_rollup_base. One row per group and load transaction.

column shop.minute_rollup_delta.minute timestamp with time zone not null;
-- Start of the minute.

column shop.minute_rollup_delta.event_type text not null;
-- Event type.

column shop.minute_rollup_delta.category text not null;
-- Category.

column shop.minute_rollup_delta.device text not null;
-- Device.

column shop.minute_rollup_delta.currency character(3) not null;
-- Currency of revenue.

column shop.minute_rollup_delta.events bigint not null;
-- Change of the number of events; negative on unload.

column shop.minute_rollup_delta.quantity bigint not null;
-- Change of the sum of quantity.

column shop.minute_rollup_delta.revenue numeric(20,2) not null;
-- Change of the sum of price times quantity.

grant INSERT on shop.minute_rollup_delta to clickledger_ingest;

grant SELECT on shop.minute_rollup_delta to clickledger_operator;

grant SELECT on shop.minute_rollup_delta to clickledger_reader;

view shop.minute_rollup_parts as
 SELECT b.minute,
    b.event_type,
    b.category,
    b.device,
    b.currency,
    b.events,
    b.quantity,
    b.revenue
   FROM shop.minute_rollup_base b
UNION ALL
 SELECT k.minute,
    k.event_type,
    k.category,
    k.device,
    k.currency,
    k.events,
    k.quantity,
    k.revenue
   FROM shop.minute_rollup_bulk k
UNION ALL
 SELECT d.minute,
    d.event_type,
    d.category,
    d.device,
    d.currency,
    d.events,
    d.quantity,
    d.revenue
   FROM shop.minute_rollup_delta d;
-- Folded, copied and waiting parts of shop.minute_rollup side by side: sums over it are the same, and quicker. A few rows per group, to be summed.

column shop.minute_rollup_parts.minute timestamp with time zone;
-- Start of the minute.

column shop.minute_rollup_parts.event_type text;
-- Event type.

column shop.minute_rollup_parts.category text;
-- Category; empty where events have none.

column shop.minute_rollup_parts.device text;
-- Device.

column shop.minute_rollup_parts.currency character(3);
-- Currency of revenue.

column shop.minute_rollup_parts.events bigint;
-- Number of events; negative where an unload took some away.

column shop.minute_rollup_parts.quantity bigint;
-- Sum of quantity.

column shop.minute_rollup_parts.revenue numeric(20,2);
-- Sum of price times quantity.

grant SELECT on shop.minute_rollup_parts to clickledger_operator;

grant SELECT on shop.minute_rollup_parts to clickledger_reader;

view shop.product_rollup as
 SELECT hour,
    product_id,
    currency,
    (sum(views))::bigint AS views,
    (sum(carts))::bigint AS carts,
    (sum(removals))::bigint AS removals,
    (sum(purchases))::bigint AS purchases,
    (sum(quantity))::bigint AS quantity,
    (sum(revenue))::numeric(20,2) AS revenue
   FROM shop.product_rollup_parts r
  GROUP BY hour, product_id, currency
 HAVING ((sum(views) <> (0)::numeric) OR (sum(carts) <> (0)::numeric) OR (sum(removals) <> (0)::numeric) OR (sum(purchases) <> (0)::numeric));
-- What happened to each product, live to the last commit. One row per hour (UTC), product and currency.

column shop.product_rollup.hour timestamp with time zone;
-- Start of the hour, UTC.

column shop.product_rollup.product_id text;
-- Product; shop.products describes it.

column shop.product_rollup.currency character(3);
-- Currency of revenue.

column shop.product_rollup.views bigint;
-- Number of product_view events.

column shop.product_rollup.carts bigint;
-- Number of add_to_cart events.

column shop.product_rollup.removals bigint;
-- Number of remove_from_cart events.

column shop.product_rollup.purchases bigint;
-- Number of purchase events: lines of orders.

column shop.product_rollup.quantity bigint;
-- Pieces purchased.

column shop.product_rollup.revenue numeric(20,2);
-- Sum of price times quantity of purchases.

grant SELECT on shop.product_rollup to clickledger_operator;

grant SELECT on shop.product_rollup to clickledger_reader;

table shop.product_rollup_base;
-- Folded part of shop.product_rollup; negative where an unload took away what was copied. One row per hour (UTC), product and currency.

column shop.product_rollup_base.hour timestamp with time zone not null;
-- Start of the hour, UTC.

column shop.product_rollup_base.product_id text not null;
-- Product.

column shop.product_rollup_base.currency character(3) not null;
-- Currency of revenue; sums across currencies mean nothing.

column shop.product_rollup_base.views bigint not null;
-- Number of product_view events.

column shop.product_rollup_base.carts bigint not null;
-- Number of add_to_cart events.

column shop.product_rollup_base.removals bigint not null;
-- Number of remove_from_cart events.

column shop.product_rollup_base.purchases bigint not null;
-- Number of purchase events: lines of orders.

column shop.product_rollup_base.quantity bigint not null;
-- Pieces purchased.

column shop.product_rollup_base.revenue numeric(20,2) not null;
-- Sum of price times quantity of purchases.

constraint product_rollup_base_pkey on shop.product_rollup_base PRIMARY KEY (hour, product_id, currency);

CREATE INDEX product_rollup_base_sold ON shop.product_rollup_base USING btree (hour) INCLUDE (product_id, currency, purchases, quantity, revenue) WHERE (purchases <> 0);
-- Serves: what sells in a period. Holds the groups with a purchase, some 2 % of all.

CREATE INDEX product_rollup_base_zero ON shop.product_rollup_base USING btree (hour) WHERE ((views = 0) AND (carts = 0) AND (removals = 0) AND (purchases = 0) AND (quantity = 0) AND (revenue = (0)::numeric));
-- Serves: groups that an unload brought to zero. Empty but for these.

CREATE UNIQUE INDEX product_rollup_base_pkey ON shop.product_rollup_base USING btree (hour, product_id, currency);
-- Serves: products of a period, and the folder that looks for a group. Paid by the folder, not by loads.

grant SELECT on shop.product_rollup_base to clickledger_operator;

grant SELECT on shop.product_rollup_base to clickledger_reader;

table shop.product_rollup_bulk;
-- Part of shop.product_rollup that large loads copied; append-only. A few rows, to be summed, per hour (UTC), product and currency; what an unload took away is in the other parts.

column shop.product_rollup_bulk.hour timestamp with time zone not null;
-- Start of the hour, UTC.

column shop.product_rollup_bulk.product_id text not null;
-- Product.

column shop.product_rollup_bulk.currency character(3) not null;
-- Currency of revenue; sums across currencies mean nothing.

column shop.product_rollup_bulk.views bigint not null;
-- Number of product_view events.

column shop.product_rollup_bulk.carts bigint not null;
-- Number of add_to_cart events.

column shop.product_rollup_bulk.removals bigint not null;
-- Number of remove_from_cart events.

column shop.product_rollup_bulk.purchases bigint not null;
-- Number of purchase events: lines of orders.

column shop.product_rollup_bulk.quantity bigint not null;
-- Pieces purchased.

column shop.product_rollup_bulk.revenue numeric(20,2) not null;
-- Sum of price times quantity of purchases.

CREATE INDEX product_rollup_bulk_brin ON shop.product_rollup_bulk USING brin (hour timestamptz_minmax_multi_ops) WITH (pages_per_range='32');
-- Serves: products of a period. A block range index, as above.

CREATE INDEX product_rollup_bulk_sold ON shop.product_rollup_bulk USING btree (hour) INCLUDE (product_id, currency, purchases, quantity, revenue) WHERE (purchases <> 0);
-- Serves: what sells in a period. Holds the groups with a purchase, some 2 % of all.

grant INSERT on shop.product_rollup_bulk to clickledger_ingest;

grant SELECT on shop.product_rollup_bulk to clickledger_operator;

grant SELECT on shop.product_rollup_bulk to clickledger_reader;

table shop.product_rollup_delta;
-- Changes not yet folded into shop.product_rollup_base. One row per group and load transaction.

column shop.product_rollup_delta.hour timestamp with time zone not null;
-- Start of the hour, UTC.

column shop.product_rollup_delta.product_id text not null;
-- Product.

column shop.product_rollup_delta.currency character(3) not null;
-- Currency of revenue.

column shop.product_rollup_delta.views bigint not null;
-- Change of the number of product_view events; negative on unload.

column shop.product_rollup_delta.carts bigint not null;
-- Change of the number of add_to_cart events.

column shop.product_rollup_delta.removals bigint not null;
-- Change of the number of remove_from_cart events.

column shop.product_rollup_delta.purchases bigint not null;
-- Change of the number of purchase events.

column shop.product_rollup_delta.quantity bigint not null;
-- Change of the pieces purchased.

column shop.product_rollup_delta.revenue numeric(20,2) not null;
-- Change of the revenue of purchases.

grant INSERT on shop.product_rollup_delta to clickledger_ingest;

grant SELECT on shop.product_rollup_delta to clickledger_operator;

grant SELECT on shop.product_rollup_delta to clickledger_reader;

view shop.product_rollup_parts as
 SELECT b.hour,
    b.product_id,
    b.currency,
    b.views,
    b.carts,
    b.removals,
    b.purchases,
    b.quantity,
    b.revenue
   FROM shop.product_rollup_base b
UNION ALL
 SELECT k.hour,
    k.product_id,
    k.currency,
    k.views,
    k.carts,
    k.removals,
    k.purchases,
    k.quantity,
    k.revenue
   FROM shop.product_rollup_bulk k
UNION ALL
 SELECT d.hour,
    d.product_id,
    d.currency,
    d.views,
    d.carts,
    d.removals,
    d.purchases,
    d.quantity,
    d.revenue
   FROM shop.product_rollup_delta d;
-- Folded, copied and waiting parts of shop.product_rollup side by side: sums over it are the same, and quicker. A few rows per group, to be summed.

column shop.product_rollup_parts.hour timestamp with time zone;
-- Start of the hour, UTC.

column shop.product_rollup_parts.product_id text;
-- Product.

column shop.product_rollup_parts.currency character(3);
-- Currency of revenue.

column shop.product_rollup_parts.views bigint;
-- Number of product_view events; negative where an unload took some away.

column shop.product_rollup_parts.carts bigint;
-- Number of add_to_cart events.

column shop.product_rollup_parts.removals bigint;
-- Number of remove_from_cart events.

column shop.product_rollup_parts.purchases bigint;
-- Number of purchase events.

column shop.product_rollup_parts.quantity bigint;
-- Pieces purchased.

column shop.product_rollup_parts.revenue numeric(20,2);
-- Sum of price times quantity of purchases.

grant SELECT on shop.product_rollup_parts to clickledger_operator;

grant SELECT on shop.product_rollup_parts to clickledger_reader;

table shop.products;
-- Products as the newest event describes them; kept when events are unloaded or dropped. One row per product.

column shop.products.product_id text not null;
-- The product.

column shop.products.product_name text not null;
-- Its name.

column shop.products.category text not null;
-- Its category, levels joined by a dot; may be empty.

column shop.products.brand text not null;
-- Its brand; may be empty.

column shop.products.seen_at timestamp with time zone not null;
-- Time of the event that said so.

constraint products_pkey on shop.products PRIMARY KEY (product_id);

CREATE UNIQUE INDEX products_pkey ON shop.products USING btree (product_id);
-- Serves: what is this product called? Written when a product is new or its description changes.

grant INSERT, SELECT, UPDATE on shop.products to clickledger_ingest;

grant SELECT on shop.products to clickledger_operator;

grant SELECT on shop.products to clickledger_reader;

table shop.rollup_copies;
-- What loads copied into shop.minute_rollup_bulk and shop.product_rollup_bulk; kept when events are unloaded. One row per chunk and hour (UTC) that it copied something of.

column shop.rollup_copies.first_minute timestamp with time zone not null;
-- First minute of the hour that it copied groups of.

column shop.rollup_copies.last_minute timestamp with time zone not null;
-- The last such minute.

constraint rollup_copies_check on shop.rollup_copies CHECK (((first_minute <= last_minute) AND (date_trunc('hour'::text, first_minute, 'UTC'::text) = date_trunc('hour'::text, last_minute, 'UTC'::text))));

CREATE INDEX rollup_copies_last_minute ON shop.rollup_copies USING btree (last_minute);
-- Serves: what was copied of an hour, and the newest and oldest minute. Paid with a row per chunk and hour.

grant INSERT, SELECT on shop.rollup_copies to clickledger_ingest;

grant SELECT on shop.rollup_copies to clickledger_operator;

grant SELECT on shop.rollup_copies to clickledger_reader;

CREATE OR REPLACE FUNCTION ingest.completeness(width interval DEFAULT '01:00:00'::interval, from_time timestamp with time zone DEFAULT (now() - '24:00:00'::interval), to_time timestamp with time zone DEFAULT now(), time_zone text DEFAULT 'UTC'::text)
 RETURNS TABLE(starts_at timestamp with time zone, files bigint, loaded bigint, missing bigint, named text[], is_complete boolean)
 LANGUAGE sql
 STABLE PARALLEL SAFE
AS $function$
  with numbered as (
    select f.file_id, f.file_name, f.state,
           to_timestamp(x.parts[1], 'YYYYMMDD"T"HH24MISS"Z"')::timestamp at time zone 'UTC' as feed_time,
           x.parts[2]::bigint as sequence
    from ingest.files f
    cross join lateral (
      select regexp_match(f.file_name, '^events-(\d{8}T\d{6}Z)-(\d{6,15})\.csv(?:\.gz)?$') as parts
    ) x
    where x.parts is not null and f.state <> 'unloaded'
  ),
  newest as (
    select distinct on (n.file_name) n.file_name, n.state, n.feed_time, n.sequence
    from numbered n
    order by n.file_name, n.file_id desc
  ),
  followed as (
    select n.file_name, n.state, n.feed_time, n.sequence,
           lag(n.sequence) over (order by n.feed_time, n.sequence) as before
    from newest n
  ),
  expected as (
    -- A number that does not go on from the one before begins another stream.
    select w.feed_time, w.sequence, w.file_name, w.state,
           case when w.sequence > w.before + 1 then w.sequence - w.before - 1 else 0 end as gap
    from followed w
    where w.feed_time >= from_time and w.feed_time < to_time
  ),
  checked as (
    select m.seen_at as at, m.file_name, m.verdict
    from ingest.manifest_checks m
    where m.seen_at >= from_time and m.seen_at < to_time and m.verdict <> 'complete'
  ),
  counted as (
    select shop.bin_of(e.feed_time, width, time_zone) as starts_at, count(*) as files,
           count(*) filter (where e.state in ('loaded', 'duplicate')) as loaded, sum(e.gap)::bigint as missing,
           array_agg(format('%s: %s', e.file_name, e.state) order by e.feed_time, e.sequence)
             filter (where e.state not in ('loaded', 'duplicate'))
           || array_agg(format('%s before %s: missing', e.gap, e.file_name) order by e.feed_time, e.sequence)
             filter (where e.gap > 0) as named
    from expected e
    group by 1
  ),
  said as (
    select shop.bin_of(c.at, width, time_zone) as starts_at, count(*) filter (where c.verdict = 'missing') as missing,
           array_agg(format('%s: %s', c.file_name, c.verdict) order by c.at, c.file_name) as named
    from checked c
    group by 1
  )
  select b.starts_at, coalesce(c.files, 0), coalesce(c.loaded, 0), coalesce(c.missing, 0) + coalesce(s.missing, 0),
         coalesce(c.named, '{}') || coalesce(s.named, '{}'),
         coalesce(c.named, '{}') || coalesce(s.named, '{}') = '{}'
  from shop.bins(from_time, to_time, width, time_zone) as b (starts_at)
  left join counted c on c.starts_at = b.starts_at
  left join said s on s.starts_at = b.starts_at
  order by b.starts_at
$function$;
-- Which intervals have all their files: those of the generator by their running numbers (placed by the time in their names), those of other producers by their manifests (placed where the manifest was read; see ingest.manifest_checks). named: each file that is missing, not loaded, short, long or altered. A file that comes late, or is loaded again, completes its interval. Example: select * from ingest.completeness('1 hour') where not is_complete. One row per interval.

grant execute on ingest.completeness(interval,timestamp with time zone,timestamp with time zone,text) to clickledger_operator;

grant execute on ingest.completeness(interval,timestamp with time zone,timestamp with time zone,text) to clickledger_reader;

CREATE OR REPLACE FUNCTION ingest.correct_reject(id bigint, correction bytea)
 RETURNS boolean
 LANGUAGE sql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
  with corrected as (
    update ingest.rejects r set corrected = correction
    where r.reject_id = id and r.state = 'open'
    returning r.reject_id
  )
  select exists (select from corrected)
$function$;
-- Stores a correction of an open reject, to be replayed in place of its raw bytes; false when it is not open.

grant execute on ingest.correct_reject(bigint,bytea) to clickledger_operator;

CREATE OR REPLACE FUNCTION ingest.lock_horizon(feed_name text)
 RETURNS timestamp with time zone
 LANGUAGE sql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$ select h.events_from from ingest.horizon h where h.feed = feed_name for share $function$;
-- The horizon of a feed, locked in share mode until the transaction ends.

grant execute on ingest.lock_horizon(text) to clickledger_ingest;

CREATE OR REPLACE FUNCTION ingest.record_verification(only_file bigint DEFAULT NULL::bigint)
 RETURNS TABLE(invariant text, file_id bigint, violation text)
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
declare
  found_violations jsonb;
begin
  select coalesce(jsonb_agg(jsonb_build_object('invariant', v.invariant, 'file_id', v.file_id, 'violation', v.violation)), '[]')
  into found_violations
  from ingest.verify(only_file) v;
  insert into ingest.verifications (file_id, violations, outcome)
  values (only_file, jsonb_array_length(found_violations), found_violations);
  return query
    select r.invariant, r.file_id, r.violation
    from jsonb_to_recordset(found_violations) as r (invariant text, file_id bigint, violation text);
end
$function$;
-- Runs ingest.verify(), stores the outcome in ingest.verifications and returns it. One row per violation.

grant execute on ingest.record_verification(bigint) to clickledger_ingest;

grant execute on ingest.record_verification(bigint) to clickledger_operator;

grant execute on ingest.record_verification(bigint) to clickledger_reader;

CREATE OR REPLACE FUNCTION ingest.schema_version()
 RETURNS integer
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$ select coalesce(max(m.version), 0) from ingest.migrations m $function$;
-- Number of the newest migration applied to this database.

grant execute on ingest.schema_version() to clickledger_ingest;

grant execute on ingest.schema_version() to clickledger_operator;

grant execute on ingest.schema_version() to clickledger_reader;

CREATE OR REPLACE FUNCTION ingest.verify(only_file bigint DEFAULT NULL::bigint)
 RETURNS TABLE(invariant text, file_id bigint, violation text)
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
with checked as (
  select f.file_id, f.feed, f.state, f.settled_at, f.records, f.loaded, f.duplicates, f.rejected,
         f.data_start, f.data_end
  from ingest.files f
  where only_file is null or f.file_id = only_file
),
planned as (
  select c.file_id,
         count(*)                                       as chunks,
         count(*) filter (where c.committed_at is null) as open_chunks,
         min(c.byte_start)                              as byte_start,
         max(c.byte_end)                                as byte_end,
         sum(c.records)                                 as records,
         sum(c.loaded)                                  as loaded,
         sum(c.duplicates)                              as duplicates,
         sum(c.rejected)                                as rejected
  from ingest.chunks c
  where only_file is null or c.file_id = only_file
  group by c.file_id
),
borders as (
  select c.file_id, c.chunk_no, c.byte_start,
         lag(c.byte_end) over (partition by c.file_id order by c.chunk_no) as previous_end
  from ingest.chunks c
  where only_file is null or c.file_id = only_file
),
keys as (
  select k.file_id, count(*) as keys
  from ingest.event_keys k
  where only_file is null or k.file_id = only_file
  group by k.file_id
),
copies as (
  select d.file_id, count(*) as copies
  from ingest.duplicates d
  where only_file is null or d.file_id = only_file
  group by d.file_id
),
quarantine as (
  select r.file_id, count(*) as rejects
  from ingest.rejects r
  where r.state in ('open', 'waived') and (only_file is null or r.file_id = only_file)
  group by r.file_id
),
first_horizon as (
  select h.feed, h.events_from from ingest.horizon h
),
live_keys as (
  select k.event_id, k.file_id, k.line_number, k.event_time
  from ingest.event_keys k
  join ingest.files f on f.file_id = k.file_id
  join first_horizon h on h.feed = f.feed
  where k.event_time >= h.events_from and (only_file is null or k.file_id = only_file)
),
live_events as (
  select e.event_id, e.file_id, e.line_number, e.event_time
  from shop.events e
  where e.event_time >= (select min(h.events_from) from first_horizon h)
    and (only_file is null or e.file_id = only_file)
),
-- Every line that became something: equal counts alone would hide one line counted twice and another never.
handled_lines as (
  select k.file_id, k.line_number
  from ingest.event_keys k
  where only_file is null or k.file_id = only_file
  union all
  select d.file_id, d.line_number
  from ingest.duplicates d
  where only_file is null or d.file_id = only_file
  union all
  select r.file_id, r.line_number
  from ingest.rejects r
  where r.state in ('open', 'waived') and (only_file is null or r.file_id = only_file)
),
-- Sums per group, once from the events and once from the rollup; equal groups cancel out. The parts are read directly:
-- the view hides groups without events.
rollup_difference as (
  select g.minute, sum(g.events) as events, sum(g.quantity) as quantity, sum(g.revenue) as revenue
  from (
    select date_trunc('minute', e.event_time, 'UTC') as minute, e.event_type, e.category, e.device, e.currency,
           count(*) as events, sum(e.quantity) as quantity, sum(e.price * e.quantity) as revenue
    from shop.events e
    where only_file is null and e.event_time >= (select min(h.events_from) from first_horizon h)
    group by 1, 2, 3, 4, 5
    union all
    select p.minute, p.event_type, p.category, p.device, p.currency, -p.events, -p.quantity, -p.revenue
    from shop.minute_rollup_parts p
    where only_file is null and p.minute >= (select min(h.events_from) from first_horizon h)
  ) g
  group by g.minute, g.event_type, g.category, g.device, g.currency
  having sum(g.events) <> 0 or sum(g.quantity) <> 0 or sum(g.revenue) <> 0
),
product_difference as (
  select g.hour, g.product_id, sum(g.views + g.carts + g.removals + g.purchases) as events,
         sum(g.quantity) as quantity, sum(g.revenue) as revenue
  from (
    select date_trunc('hour', e.event_time, 'UTC') as hour, e.product_id, e.currency,
           count(*) filter (where e.event_type = 'product_view')     as views,
           count(*) filter (where e.event_type = 'add_to_cart')      as carts,
           count(*) filter (where e.event_type = 'remove_from_cart') as removals,
           count(*) filter (where e.event_type = 'purchase')         as purchases,
           coalesce(sum(e.quantity) filter (where e.event_type = 'purchase'), 0)           as quantity,
           coalesce(sum(e.price * e.quantity) filter (where e.event_type = 'purchase'), 0) as revenue
    from shop.events e
    where only_file is null and e.event_time >= (select min(h.events_from) from first_horizon h)
    group by 1, 2, 3
    union all
    select p.hour, p.product_id, p.currency, -p.views, -p.carts, -p.removals, -p.purchases, -p.quantity, -p.revenue
    from shop.product_rollup_parts p
    where only_file is null and p.hour >= (select min(h.events_from) from first_horizon h)
  ) g
  group by g.hour, g.product_id, g.currency
  having sum(g.views) <> 0 or sum(g.carts) <> 0 or sum(g.removals) <> 0 or sum(g.purchases) <> 0
      or sum(g.quantity) <> 0 or sum(g.revenue) <> 0
)
select 'I1', f.file_id, format('records %s, but loaded %s + duplicates %s + rejected %s', f.records, f.loaded, f.duplicates, f.rejected)
from checked f
where f.state = 'loaded' and f.records is distinct from f.loaded + f.duplicates + f.rejected
union all
select 'I1', f.file_id, format('file counts %s/%s/%s/%s, but its chunks sum to %s/%s/%s/%s (records/loaded/duplicates/rejected)',
         f.records, f.loaded, f.duplicates, f.rejected, p.records, p.loaded, p.duplicates, p.rejected)
from checked f left join planned p using (file_id)
where f.state = 'loaded'
  and (f.records, f.loaded, f.duplicates, f.rejected) is distinct from
      (coalesce(p.records, 0), coalesce(p.loaded, 0), coalesce(p.duplicates, 0), coalesce(p.rejected, 0))
union all
select 'I1', f.file_id, format('%s chunks were never committed', p.open_chunks)
from checked f join planned p using (file_id)
where f.state = 'loaded' and p.open_chunks > 0
union all
select 'I1', f.file_id, format('chunks cover bytes %s to %s, but the data is bytes %s to %s', p.byte_start, p.byte_end, f.data_start, f.data_end)
from checked f left join planned p using (file_id)
where f.state = 'loaded'
  and (coalesce(p.byte_start, f.data_end), coalesce(p.byte_end, f.data_end)) is distinct from (f.data_start, f.data_end)
union all
select 'I1', b.file_id, format('chunk %s begins at byte %s, but the one before ends at %s', b.chunk_no, b.byte_start, b.previous_end)
from borders b join checked f using (file_id)
where f.state = 'loaded' and b.byte_start is distinct from coalesce(b.previous_end, b.byte_start)
union all
select 'I1', f.file_id, format('chunks say loaded %s, but %s keys belong to the file', coalesce(p.loaded, 0), coalesce(k.keys, 0))
from checked f left join planned p using (file_id) left join keys k using (file_id)
where coalesce(p.loaded, 0) <> coalesce(k.keys, 0)
union all
select 'I1', f.file_id, format('chunks say duplicates %s, but %s are listed', coalesce(p.duplicates, 0), coalesce(c.copies, 0))
from checked f left join planned p using (file_id) left join copies c using (file_id)
where coalesce(p.duplicates, 0) <> coalesce(c.copies, 0)
union all
select 'I1', f.file_id, format('chunks say rejected %s, but %s are in quarantine', coalesce(p.rejected, 0), coalesce(q.rejects, 0))
from checked f left join planned p using (file_id) left join quarantine q using (file_id)
where f.state in ('loading', 'loaded') and coalesce(p.rejected, 0) <> coalesce(q.rejects, 0)
union all
select 'I1', f.file_id, format('state %s, but chunks count %s records as handled', f.state, p.loaded + p.duplicates + p.rejected)
from checked f join planned p using (file_id)
where f.state not in ('loading', 'loaded', 'unloading') and p.loaded + p.duplicates + p.rejected <> 0
union all
select 'I1', l.file_id, format('line %s is counted %s times', l.line_number, count(*))
from handled_lines l
group by l.file_id, l.line_number
having count(*) > 1
union all
-- Their events would be taken for duplicates for ever.
select 'I1', k.file_id, format('%s keys belong to a file that is not in the ledger', k.keys)
from keys k
where not exists (select from ingest.files f where f.file_id = k.file_id)
union all
select 'I2', coalesce(k.file_id, e.file_id),
       case when e.event_id is null then format('event %s has a key, but is not in shop.events', k.event_id)
            when k.event_id is null then format('event %s is in shop.events without a key', e.event_id)
            else format('event %s stands at line %s of file %s, but its key says line %s of file %s',
                        e.event_id, e.line_number, e.file_id, k.line_number, k.file_id) end
from live_keys k full join live_events e on e.event_id = k.event_id
where (k.event_id, k.file_id, k.line_number, k.event_time) is distinct from (e.event_id, e.file_id, e.line_number, e.event_time)
union all
select 'I2', min(e.file_id), format('event %s is in shop.events %s times', e.event_id, count(*))
from live_events e
group by e.event_id
having count(*) > 1
union all
select 'I2', d.file_id, format('line %s repeats event %s, which no file holds', d.line_number, d.event_id)
from ingest.duplicates d
join checked f using (file_id)
-- While a file unloads chunk by chunk, its later lines may repeat events of its earlier ones.
where f.state in ('loading', 'loaded')
  and not exists (select from ingest.event_keys k where k.event_id = d.event_id)
union all
-- The transaction that gives a file up re-opens a duplicate of it; the same test of whether its bytes exist is there.
select 'I2', d.file_id, format('duplicate of file %s, which is %s: its events are in no file', o.file_id, o.state)
from ingest.files d
join checked f on f.file_id = d.file_id
join ingest.files o on o.file_id = d.duplicate_of
where d.state = 'duplicate' and o.state in ('failed', 'cancelled')
  and (d.archive_path is not null or d.settled_at is null
       or (d.error_code is null and (d.inbox_id, d.path) <> (o.inbox_id, o.path)))
union all
select 'I5', null, format('rollup of minute %s differs from its events by %s events, %s pieces, %s revenue', g.minute, -g.events, -g.quantity, -g.revenue)
from rollup_difference g
union all
-- Without the product: its id is a value of the feed, and outcomes are kept and printed.
select 'I5', null, format('rollup of a product in hour %s differs from its events by %s events, %s pieces, %s revenue', g.hour, -g.events, -g.quantity, -g.revenue)
from product_difference g
$function$;
-- Violations of the invariants I1 (every record counted once), I2 (every event there once) and I5 (rollups equal their events), of one file or of all. Empty means proven. One row per violation.

grant execute on ingest.verify(bigint) to clickledger_ingest;

grant execute on ingest.verify(bigint) to clickledger_operator;

grant execute on ingest.verify(bigint) to clickledger_reader;

CREATE OR REPLACE FUNCTION ingest.waive_rejects(ids bigint[], why text)
 RETURNS bigint
 LANGUAGE sql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
  with waived as (
    update ingest.rejects r set state = 'waived', resolved_at = now(), reason = why
    where r.reject_id = any(ids) and r.state = 'open'
    returning r.reject_id
  )
  select count(*) from waived
$function$;
-- Sets open rejects to waived, with the reason, and returns how many: nobody will replay them.

grant execute on ingest.waive_rejects(bigint[],text) to clickledger_operator;

CREATE OR REPLACE FUNCTION shop.bin_of(at timestamp with time zone, width interval, time_zone text)
 RETURNS timestamp with time zone
 LANGUAGE sql
 STABLE PARALLEL SAFE
AS $function$
  select case
    when width < interval '1 day' then date_bin(width, at, date_trunc('day', at, time_zone))
    else date_bin(width, at at time zone time_zone, timestamp '2001-01-01') at time zone time_zone
  end
$function$;
-- Start of the interval that a point in time belongs to. Intervals below a day begin anew at each local midnight; those of days and weeks are cut in local time (also where clocks change), weeks begin on Monday. Months and years are refused. Example: select shop.bin_of(now(), '15 minutes', 'Europe/Berlin').

grant execute on shop.bin_of(timestamp with time zone,interval,text) to clickledger_operator;

grant execute on shop.bin_of(timestamp with time zone,interval,text) to clickledger_reader;

CREATE OR REPLACE FUNCTION shop.bins(from_time timestamp with time zone, to_time timestamp with time zone, width interval, time_zone text)
 RETURNS SETOF timestamp with time zone
 LANGUAGE sql
 STABLE PARALLEL SAFE ROWS 100
AS $function$
  select b.starts_at
  from (
    select generate_series(d.midnight at time zone time_zone,
                           (d.midnight + interval '1 day') at time zone time_zone - interval '1 microsecond',
                           width) as starts_at
    from generate_series(date_trunc('day', from_time at time zone time_zone),
                         date_trunc('day', to_time at time zone time_zone), interval '1 day') as d (midnight)
    where width < interval '1 day'
    union all
    select w.starts_at at time zone time_zone
    from generate_series(date_bin(width, from_time at time zone time_zone, timestamp '2001-01-01'),
                         to_time at time zone time_zone, width) as w (starts_at)
    where width >= interval '1 day'
  ) b
  where b.starts_at >= shop.bin_of(from_time, width, time_zone) and b.starts_at < to_time
  order by b.starts_at
$function$;
-- Starts of all intervals that touch [from_time, to_time), as shop.bin_of() cuts them. One row per interval.

grant execute on shop.bins(timestamp with time zone,timestamp with time zone,interval,text) to clickledger_operator;

grant execute on shop.bins(timestamp with time zone,timestamp with time zone,interval,text) to clickledger_reader;

CREATE OR REPLACE FUNCTION shop.bought_together(from_time timestamp with time zone DEFAULT (now() - '28 days'::interval), to_time timestamp with time zone DEFAULT now(), min_orders bigint DEFAULT 2, max_rows integer DEFAULT 20)
 RETURNS TABLE(product_a text, name_a text, product_b text, name_b text, orders_together bigint, support numeric, confidence_a_to_b numeric, confidence_b_to_a numeric, lift numeric)
 LANGUAGE sql
 STABLE PARALLEL SAFE
AS $function$
  with baskets as materialized (
    select distinct e.order_id, e.product_id
    from shop.events e
    where e.event_time >= from_time and e.event_time < to_time and e.event_type = 'purchase'
  ),
  total as (
    select count(distinct b.order_id)::numeric as orders from baskets b
  ),
  single as (
    select b.product_id, count(*)::numeric as orders from baskets b group by b.product_id
  ),
  pairs as (
    select a.product_id as product_a, b.product_id as product_b, count(*) as orders
    from baskets a
    join baskets b on b.order_id = a.order_id and b.product_id > a.product_id
    group by 1, 2
    having count(*) >= min_orders
  )
  select p.product_a, da.product_name, p.product_b, db.product_name, p.orders,
         round(p.orders / t.orders, 6), round(p.orders / sa.orders, 4), round(p.orders / sb.orders, 4),
         round(p.orders * t.orders / (sa.orders * sb.orders), 4)
  from pairs p
  cross join total t
  join single sa on sa.product_id = p.product_a
  join single sb on sb.product_id = p.product_b
  left join shop.products da on da.product_id = p.product_a
  left join shop.products db on db.product_id = p.product_b
  order by p.orders desc, p.orders * t.orders / (sa.orders * sb.orders) desc, p.product_a, p.product_b
  limit max_rows
$function$;
-- Products that stand in the same orders. support: share of all orders with both; confidence_a_to_b: of the orders with a, the share that has b too (Agrawal et al. 1993); lift: how many times more often than if they had nothing to do with each other (Brin et al. 1997), 1 means so. In at least min_orders orders. Scans the events of the window. Example: select * from shop.bought_together(min_orders => 5) order by lift desc. One row per pair of products, most orders first.

grant execute on shop.bought_together(timestamp with time zone,timestamp with time zone,bigint,integer) to clickledger_operator;

grant execute on shop.bought_together(timestamp with time zone,timestamp with time zone,bigint,integer) to clickledger_reader;

CREATE OR REPLACE FUNCTION shop.brand_performance(from_time timestamp with time zone DEFAULT date_trunc('hour'::text, (now() - '7 days'::interval)), to_time timestamp with time zone DEFAULT now())
 RETURNS TABLE(brand text, currency text, products bigint, views bigint, carts bigint, purchases bigint, quantity bigint, revenue numeric, carts_per_view numeric, purchases_per_view numeric, revenue_share numeric)
 LANGUAGE sql
 STABLE PARALLEL SAFE
AS $function$
  with totals as (
    select p.brand, s.currency, count(*) as products, sum(s.views)::bigint as views, sum(s.carts)::bigint as carts,
           sum(s.purchases)::bigint as purchases, sum(s.quantity)::bigint as quantity, sum(s.revenue) as revenue
    from shop.product_sales(from_time, to_time) s
    join shop.products p on p.product_id = s.product_id
    group by p.brand, s.currency
  )
  select t.brand, t.currency, t.products, t.views, t.carts, t.purchases, t.quantity, t.revenue,
         round(t.carts::numeric / nullif(t.views, 0), 4),
         round(t.purchases::numeric / nullif(t.views, 0), 4),
         round(t.revenue / nullif(sum(t.revenue) over (partition by t.currency), 0), 4)
  from totals t
  order by t.revenue desc, t.views desc, t.brand, t.currency
$function$;
-- Views, carts, purchases and revenue of brands; a product counts for the brand that shop.products tells, which is that of its newest event. An empty brand is one of its own. From the rollup by hour. Example: select * from shop.brand_performance(now() - interval '28 days') limit 10. One row per brand and currency, most revenue first.

grant execute on shop.brand_performance(timestamp with time zone,timestamp with time zone) to clickledger_operator;

grant execute on shop.brand_performance(timestamp with time zone,timestamp with time zone) to clickledger_reader;

CREATE OR REPLACE FUNCTION shop.cart_abandonment(from_time timestamp with time zone DEFAULT (now() - '7 days'::interval), to_time timestamp with time zone DEFAULT now(), idle interval DEFAULT '00:30:00'::interval)
 RETURNS TABLE(currency text, carts bigint, purchased bigint, emptied bigint, open bigint, abandoned bigint, abandonment_rate numeric, value_left numeric, average_value_left numeric)
 LANGUAGE sql
 STABLE PARALLEL SAFE
AS $function$
  select c.currency, count(*),
         count(*) filter (where c.state = 'purchased'), count(*) filter (where c.state = 'emptied'),
         count(*) filter (where c.state = 'open'), count(*) filter (where c.state = 'abandoned'),
         round(count(*) filter (where c.state in ('abandoned', 'emptied'))::numeric
               / nullif(count(*) filter (where c.state <> 'open'), 0), 4),
         coalesce(sum(c.value_left) filter (where c.state = 'abandoned'), 0),
         round(avg(c.value_left) filter (where c.state = 'abandoned'), 2)
  from shop.carts(from_time, to_time, idle) c
  group by c.currency
  order by count(*) desc, c.currency
$function$;
-- Cart abandonment rate: 1 - purchased carts / all carts (the Baymard Institute's definition), carts that are still open left out; with the value left in carts that were abandoned full. See shop.carts() for the states. Scans the events of the window. Example: select * from shop.cart_abandonment(now() - interval '28 days'). One row per currency.

grant execute on shop.cart_abandonment(timestamp with time zone,timestamp with time zone,interval) to clickledger_operator;

grant execute on shop.cart_abandonment(timestamp with time zone,timestamp with time zone,interval) to clickledger_reader;

CREATE OR REPLACE FUNCTION shop.carts(from_time timestamp with time zone DEFAULT (now() - '24:00:00'::interval), to_time timestamp with time zone DEFAULT now(), idle interval DEFAULT '00:30:00'::interval)
 RETURNS TABLE(session_id uuid, user_id text, currency text, state text, first_added_at timestamp with time zone, last_event_at timestamp with time zone, products_left bigint, pieces_left bigint, value_left numeric)
 LANGUAGE sql
 STABLE PARALLEL SAFE
AS $function$
  with sessions as (
    select e.session_id, min(e.user_id) as user_id, max(e.event_time) as last_event_at,
           bool_or(e.event_type = 'purchase') as has_purchase
    from shop.events e
    where e.event_time >= from_time and e.event_time < to_time
    group by e.session_id
    having bool_or(e.event_type = 'add_to_cart')
  ),
  items as (
    select e.session_id, e.currency::text as currency, e.product_id, min(e.event_time) as first_added_at,
           greatest(sum(case e.event_type when 'add_to_cart' then e.quantity else -e.quantity end), 0) as pieces,
           (array_agg(e.price order by e.event_time desc, e.event_id desc)
              filter (where e.event_type = 'add_to_cart'))[1] as price
    from shop.events e
    where e.event_time >= from_time and e.event_time < to_time
      and e.event_type in ('add_to_cart', 'remove_from_cart')
    group by 1, 2, 3
    having bool_or(e.event_type = 'add_to_cart')
  ),
  filled as (
    select i.session_id, i.currency, min(i.first_added_at) as first_added_at,
           count(*) filter (where i.pieces > 0) as products, sum(i.pieces)::bigint as pieces,
           sum(i.pieces * i.price) as value
    from items i
    group by i.session_id, i.currency
  )
  select s.session_id, s.user_id, f.currency,
         case when s.has_purchase then 'purchased'
              when f.pieces = 0 then 'emptied'
              when s.last_event_at > to_time - idle then 'open'
              else 'abandoned' end,
         f.first_added_at, s.last_event_at,
         case when s.has_purchase then 0 else f.products end,
         case when s.has_purchase then 0 else f.pieces end,
         case when s.has_purchase then 0 else f.value end
  from sessions s
  join filled f on f.session_id = s.session_id
$function$;
-- Carts: sessions that put something into the cart. state: purchased (the session purchased), emptied (everything was removed again), open (its last event is within idle of to_time), else abandoned; what is left is valued at the price of the last add_to_cart. Scans the events of the window. Example: select * from shop.carts() where state = 'abandoned' order by value_left desc limit 20. One row per session and currency.

grant execute on shop.carts(timestamp with time zone,timestamp with time zone,interval) to clickledger_operator;

grant execute on shop.carts(timestamp with time zone,timestamp with time zone,interval) to clickledger_reader;

CREATE OR REPLACE FUNCTION shop.category_performance(from_time timestamp with time zone DEFAULT (now() - '7 days'::interval), to_time timestamp with time zone DEFAULT now(), levels integer DEFAULT NULL::integer)
 RETURNS TABLE(category text, currency text, views bigint, carts bigint, purchases bigint, quantity bigint, revenue numeric, carts_per_view numeric, purchases_per_view numeric, revenue_share numeric)
 LANGUAGE sql
 STABLE PARALLEL SAFE
AS $function$
  with totals as (
    select case when levels is null then r.category
                else array_to_string((string_to_array(r.category, '.'))[1:levels], '.') end as category,
           r.currency::text as currency,
           coalesce(sum(r.events) filter (where r.event_type = 'product_view'), 0)::bigint as views,
           coalesce(sum(r.events) filter (where r.event_type = 'add_to_cart'), 0)::bigint  as carts,
           coalesce(sum(r.events) filter (where r.event_type = 'purchase'), 0)::bigint     as purchases,
           coalesce(sum(r.quantity) filter (where r.event_type = 'purchase'), 0)::bigint   as quantity,
           coalesce(sum(r.revenue) filter (where r.event_type = 'purchase'), 0)            as revenue
    from shop.minute_rollup_parts r
    where r.minute >= date_trunc('minute', from_time) and r.minute < to_time
    group by 1, 2
    having sum(r.events) <> 0
  )
  select t.category, t.currency, t.views, t.carts, t.purchases, t.quantity, t.revenue,
         round(t.carts::numeric / nullif(t.views, 0), 4),
         round(t.purchases::numeric / nullif(t.views, 0), 4),
         round(t.revenue / nullif(sum(t.revenue) over (partition by t.currency), 0), 4)
  from totals t
  order by t.revenue desc, t.views desc, t.category, t.currency
$function$;
-- Views, carts, purchases and revenue of categories, as the events name them. levels: how many levels of the name count (1: only the first; null: the whole name); revenue_share: of the same currency; from_time is cut to the minute. From the rollup by minute: quick, live to the last commit. Example: select * from shop.category_performance(levels => 1). One row per category and currency, most revenue first.

grant execute on shop.category_performance(timestamp with time zone,timestamp with time zone,integer) to clickledger_operator;

grant execute on shop.category_performance(timestamp with time zone,timestamp with time zone,integer) to clickledger_reader;

CREATE OR REPLACE FUNCTION shop.conversion_rate(width interval DEFAULT '1 day'::interval, from_time timestamp with time zone DEFAULT (now() - '28 days'::interval), to_time timestamp with time zone DEFAULT now(), time_zone text DEFAULT 'UTC'::text)
 RETURNS TABLE(starts_at timestamp with time zone, sessions bigint, converted bigint, conversion_rate numeric)
 LANGUAGE sql
 STABLE PARALLEL SAFE
AS $function$
  with visits as (
    select e.session_id, min(e.event_time) as started_at, bool_or(e.event_type = 'purchase') as has_purchase
    from shop.events e
    where e.event_time >= from_time and e.event_time < to_time
    group by e.session_id
  ),
  counted as (
    select shop.bin_of(v.started_at, width, time_zone) as starts_at,
           count(*) as sessions, count(*) filter (where v.has_purchase) as converted
    from visits v
    group by 1
  )
  select b.starts_at, coalesce(c.sessions, 0), coalesce(c.converted, 0),
         round(c.converted::numeric / nullif(c.sessions, 0), 4)
  from shop.bins(from_time, to_time, width, time_zone) as b (starts_at)
  left join counted c on c.starts_at = b.starts_at
  order by b.starts_at
$function$;
-- Session conversion rate: sessions with a purchase over all sessions (as web analytics define it), each counted where its first event of the window lies; null where there were no sessions. time_zone: where days are cut. Scans the events of the window. Example: select * from shop.conversion_rate('1 week', now() - interval '8 weeks'). One row per interval, gaps filled.

grant execute on shop.conversion_rate(interval,timestamp with time zone,timestamp with time zone,text) to clickledger_operator;

grant execute on shop.conversion_rate(interval,timestamp with time zone,timestamp with time zone,text) to clickledger_reader;

CREATE OR REPLACE FUNCTION shop.count_deltas()
 RETURNS bigint
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
  select (select count(*) from (select from shop.minute_rollup_delta d limit 500000) m)
       + (select count(*) from (select from shop.product_rollup_delta d limit 500000) p)
$function$;
-- How many deltas of the rollups wait to be folded, counted up to 500,000 of each.

grant execute on shop.count_deltas() to clickledger_ingest;

CREATE OR REPLACE FUNCTION shop.customer_value(from_time timestamp with time zone DEFAULT (now() - '365 days'::interval), to_time timestamp with time zone DEFAULT now(), in_currency text DEFAULT NULL::text)
 RETURNS TABLE(user_id text, currency text, recency_days integer, frequency bigint, monetary numeric, r integer, f integer, m integer, segment text)
 LANGUAGE sql
 STABLE PARALLEL SAFE
AS $function$
  with customers as (
    select o.user_id, o.currency, max(o.ordered_at) as last_ordered_at, count(*) as frequency, sum(o.revenue) as monetary
    from shop.orders(from_time, to_time) o
    where in_currency is null or o.currency = in_currency
    group by o.user_id, o.currency
  ),
  scored as (
    select c.user_id, c.currency, c.last_ordered_at, c.frequency, c.monetary,
           ntile(5) over (partition by c.currency order by c.last_ordered_at, c.user_id)       as r,
           ntile(5) over (partition by c.currency order by c.frequency, c.monetary, c.user_id) as f,
           ntile(5) over (partition by c.currency order by c.monetary, c.user_id)              as m
    from customers c
  )
  select s.user_id, s.currency, floor(extract(epoch from to_time - s.last_ordered_at) / 86400)::integer,
         s.frequency, s.monetary, s.r, s.f, s.m,
         case when s.r >= 4 and s.f >= 4 then 'champions'
              when s.r >= 3 and s.f >= 3 then 'loyal'
              when s.r >= 4              then 'new'
              when s.r = 3               then 'promising'
              when s.f >= 4              then 'cannot lose'
              when s.f = 3               then 'at risk'
              else                            'hibernating' end
  from scored s
  order by s.r + s.f + s.m desc, s.monetary desc, s.user_id
$function$;
-- Customer value by recency, frequency and monetary value (RFM, Hughes 1994): days since the last order, number of orders, revenue, each scored in fifths from 1 to 5 (best) within the currency, and a segment by r and f: champions (4-5, 4-5), loyal (3+, 3+), new (4-5, 1-2), promising (3, 1-2), cannot lose (1-2, 4-5), at risk (1-2, 3), hibernating. Scans the events of the window. Example: select segment, count(*), sum(monetary) from shop.customer_value() group by 1. One row per customer and currency, best first.

grant execute on shop.customer_value(timestamp with time zone,timestamp with time zone,text) to clickledger_operator;

grant execute on shop.customer_value(timestamp with time zone,timestamp with time zone,text) to clickledger_reader;

CREATE OR REPLACE PROCEDURE shop.drop_events_before(IN month date)
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $procedure$
declare
  bound     timestamptz := month::timestamp at time zone 'UTC';
  unsettled text;
  old_month regclass;
begin
  if month is null or extract(day from month) <> 1 then
    raise exception 'Cannot drop events before %: expected the first day of a month', coalesce(month::text, 'null')
      using errcode = 'invalid_parameter_value';
  end if;
  if month < date '2020-01-01' then
    raise exception 'Cannot drop events before %: all months before 2020 are kept as one and go as a whole; the first date possible is 2020-01-01', month
      using errcode = 'invalid_parameter_value';
  end if;
  if bound > now() then
    raise exception 'Cannot drop events before %: it lies in the future', month
      using errcode = 'invalid_parameter_value';
  end if;
  -- A query that reads old months makes this wait; whoever comes behind would wait for this. So it waits a moment
  -- only, lets the others pass, and tries again.
  for attempt in 1..50 loop
    begin
      perform set_config('lock_timeout', '200ms', true);
      -- Every load holds the horizon's row until it commits, so none is under way from here on.
      perform from ingest.horizon h where h.feed = 'shop_events' for update;
      select string_agg(format('%s (%s)', f.file_id, f.state), ', ' order by f.file_id) into unsettled
      from ingest.files f
      where f.settled_at is null
        and exists (select from ingest.event_keys k where k.file_id = f.file_id and k.event_time < bound);
      if unsettled is not null then
        raise exception 'Cannot drop events before %: file % is not settled and has such events; wait, or see deno task files show',
          month, unsettled using errcode = 'object_not_in_prerequisite_state';
      end if;
      for old_month in
        select i.inhrelid::regclass
        from pg_inherits i
        join pg_class c on c.oid = i.inhrelid
        where i.inhparent = 'shop.events'::regclass
          and (regexp_match(pg_get_expr(c.relpartbound, c.oid), 'TO \(''([^'']+)''\)'))[1]::timestamptz <= bound
        order by c.relname
      loop
        execute format('alter table shop.events detach partition %s', old_month);
        execute format('drop table %s', old_month);
      end loop;
      update ingest.horizon set events_from = bound where feed = 'shop_events' and events_from < bound;
      return;
    exception when lock_not_available then
      if attempt = 50 then
        raise exception 'Cannot drop events before %: a query or a load holds them; try again', month
          using errcode = 'lock_not_available';
      end if;
    end;
    perform pg_sleep(0.1);
  end loop;
end
$procedure$;
-- Drops the partitions of shop.events that end at or before the given first of a month (UTC), and moves the horizon there in the same transaction: an older arrival is rejected from then on. Keys and rollups stay. Refuses while a file that is not settled has such events, and names it. For the owner: call shop.drop_events_before('2026-01-01').

CREATE OR REPLACE FUNCTION shop.ensure_month(month date)
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
declare
  starts         date := date_trunc('month', month)::date;
  ends           date := (date_trunc('month', month) + interval '1 month')::date;
  partition_name text := 'events_' || to_char(month, 'YYYY_MM');
begin
  if starts < date '2020-01-01' then
    return;
  end if;
  -- Events before the horizon are rejected: a month that was dropped does not come back for them.
  if ends::timestamp at time zone 'UTC' <= (select h.events_from from ingest.horizon h where h.feed = 'shop_events') then
    return;
  end if;
  if starts > (now() + interval '1 month')::date then
    raise exception 'Cannot make a partition for %: it lies in the future', starts
      using errcode = 'datetime_field_overflow';
  end if;
  perform pg_advisory_xact_lock(hashtext('shop.ensure_month'), hashtext(partition_name));
  if to_regclass(format('shop.%I', partition_name)) is not null then
    return;
  end if;
  -- Made beside the parent and attached: `create … partition of` takes a lock that deadlocks with loads.
  execute format('create table shop.%I (like shop.events including all)', partition_name);
  execute format('comment on table shop.%I is %L', partition_name,
    format('Events of %s (UTC). One row per event.', to_char(month, 'YYYY-MM')));
  execute format('alter table shop.events attach partition shop.%I for values from (%L) to (%L)',
    partition_name, starts::timestamp at time zone 'UTC', ends::timestamp at time zone 'UTC');
end
$function$;
-- Makes the partition of shop.events for a month, if it is missing. Call it in its own transaction before loading.

grant execute on shop.ensure_month(date) to clickledger_ingest;

CREATE OR REPLACE FUNCTION shop.event_funnel(from_time timestamp with time zone DEFAULT (now() - '24:00:00'::interval), to_time timestamp with time zone DEFAULT now(), split_by shop.event_split DEFAULT 'all'::shop.event_split)
 RETURNS TABLE(value text, views bigint, carts bigint, removals bigint, purchases bigint, carts_per_view numeric, purchases_per_cart numeric, purchases_per_view numeric)
 LANGUAGE sql
 STABLE PARALLEL SAFE
AS $function$
  select t.value, t.views, t.carts, t.removals, t.purchases,
         round(t.carts::numeric / nullif(t.views, 0), 4),
         round(t.purchases::numeric / nullif(t.carts, 0), 4),
         round(t.purchases::numeric / nullif(t.views, 0), 4)
  from (
    select case split_by when 'category' then r.category when 'device' then r.device else 'all' end as value,
           coalesce(sum(r.events) filter (where r.event_type = 'product_view'), 0)::bigint     as views,
           coalesce(sum(r.events) filter (where r.event_type = 'add_to_cart'), 0)::bigint      as carts,
           coalesce(sum(r.events) filter (where r.event_type = 'remove_from_cart'), 0)::bigint as removals,
           coalesce(sum(r.events) filter (where r.event_type = 'purchase'), 0)::bigint         as purchases
    from shop.minute_rollup_parts r
    where r.minute >= date_trunc('minute', from_time) and r.minute < to_time
    group by 1
    having sum(r.events) <> 0
  ) t
  order by t.views desc, t.value
$function$;
-- Totals of events by type, not of sessions: somebody who views ten products counts ten times (shop.session_funnel() counts sessions). split_by: all, category or device; ratios are null where nothing stands below the line; from_time is cut to the minute. From the rollup by minute: quick, live to the last commit. Example: select * from shop.event_funnel(split_by => 'device'). One row per value, most views first.

grant execute on shop.event_funnel(timestamp with time zone,timestamp with time zone,shop.event_split) to clickledger_operator;

grant execute on shop.event_funnel(timestamp with time zone,timestamp with time zone,shop.event_split) to clickledger_reader;

CREATE OR REPLACE FUNCTION shop.fold_rollups()
 RETURNS bigint
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
 SET work_mem TO '64MB'
 SET enable_seqscan TO 'off'
 SET enable_hashjoin TO 'off'
 SET enable_mergejoin TO 'off'
AS $function$
declare
  at_most         constant integer := 200000;
  folded_minutes  bigint;
  folded_products bigint;
begin
  -- One folder at a time; a second one has nothing to add.
  if not pg_try_advisory_xact_lock(hashtext('shop.fold_rollups')) then
    return 0;
  end if;
  with taken as (
    delete from shop.minute_rollup_delta d
    where d.ctid = any (array(select x.ctid from shop.minute_rollup_delta x limit at_most))
    returning d.minute, d.event_type, d.category, d.device, d.currency, d.events, d.quantity, d.revenue
  ),
  summed as (
    select t.minute, t.event_type, t.category, t.device, t.currency,
           sum(t.events) as events, sum(t.quantity) as quantity, sum(t.revenue) as revenue,
           count(*) as deltas
    from taken t
    group by t.minute, t.event_type, t.category, t.device, t.currency
    order by t.minute, t.event_type, t.category, t.device, t.currency
  ),
  merged as (
    merge into shop.minute_rollup_base b
    using summed s
      on b.minute = s.minute and b.event_type = s.event_type and b.category = s.category
         and b.device = s.device and b.currency = s.currency
    when matched then update
      set events = b.events + s.events, quantity = b.quantity + s.quantity, revenue = b.revenue + s.revenue
    when not matched then
      insert (minute, event_type, category, device, currency, events, quantity, revenue)
      values (s.minute, s.event_type, s.category, s.device, s.currency, s.events, s.quantity, s.revenue)
    returning s.deltas
  )
  select coalesce(sum(m.deltas), 0) from merged m into folded_minutes;
  with taken as (
    delete from shop.product_rollup_delta d
    where d.ctid = any (array(select x.ctid from shop.product_rollup_delta x limit at_most))
    returning d.hour, d.product_id, d.currency, d.views, d.carts, d.removals, d.purchases, d.quantity, d.revenue
  ),
  summed as (
    select t.hour, t.product_id, t.currency,
           sum(t.views) as views, sum(t.carts) as carts, sum(t.removals) as removals,
           sum(t.purchases) as purchases, sum(t.quantity) as quantity, sum(t.revenue) as revenue,
           count(*) as deltas
    from taken t
    group by t.hour, t.product_id, t.currency
    order by t.hour, t.product_id, t.currency
  ),
  merged as (
    merge into shop.product_rollup_base b
    using summed s
      on b.hour = s.hour and b.product_id = s.product_id and b.currency = s.currency
    when matched then update
      set views = b.views + s.views, carts = b.carts + s.carts, removals = b.removals + s.removals,
          purchases = b.purchases + s.purchases, quantity = b.quantity + s.quantity, revenue = b.revenue + s.revenue
    when not matched then
      insert (hour, product_id, currency, views, carts, removals, purchases, quantity, revenue)
      values (s.hour, s.product_id, s.currency, s.views, s.carts, s.removals, s.purchases, s.quantity, s.revenue)
    returning s.deltas
  )
  select coalesce(sum(m.deltas), 0) from merged m into folded_products;
  -- Deltas are taken in the order in which they lie, and freed space is used anew: a batch may hold what an unload took
  -- away before what the load had brought, and a group without events then still owes its pieces and revenue.
  delete from shop.minute_rollup_base b where b.events = 0 and b.quantity = 0 and b.revenue = 0;
  delete from shop.product_rollup_base b
  where b.views = 0 and b.carts = 0 and b.removals = 0 and b.purchases = 0 and b.quantity = 0 and b.revenue = 0;
  return folded_minutes + folded_products;
end
$function$;
-- Moves up to 200,000 deltas of each rollup into its base table and returns how many it moved, 0 when none are left; never blocks a load.

grant execute on shop.fold_rollups() to clickledger_ingest;

CREATE OR REPLACE FUNCTION shop.freshness()
 RETURNS TABLE(newest_event timestamp with time zone, newest_commit timestamp with time zone, event_age interval, commit_age interval, files_under_way bigint, files_last_hour bigint, lag_p50_ms numeric, lag_p95_ms numeric)
 LANGUAGE sql
 STABLE PARALLEL SAFE
AS $function$
  with newest as (
    select greatest((select max(b.minute) from shop.minute_rollup_base b),
                    (select max(c.last_minute) from shop.rollup_copies c),
                    (select max(d.minute) from shop.minute_rollup_delta d)) + interval '1 minute' as no_event_from
  ),
  -- Of minutes that were unloaded, groups at zero may be left: only then it is looked for further back.
  event as (
    select max(found.event_time) as event_time
    from (
      select e.event_time
      from (select w.width from (values (interval '1 minute'), ('1 day'), ('1000 years')) as w (width) order by w.width) w
      cross join lateral (
        select max(e.event_time) as event_time
        from shop.events e
        where e.event_time < (select n.no_event_from from newest n)
          and e.event_time >= (select n.no_event_from from newest n) - w.width
      ) e
      where e.event_time is not null
      order by w.width
      limit 1
    ) found
  ),
  under_way as (
    select count(*) as files from ingest.files f where f.settled_at is null
  ),
  recent as (
    select max(f.committed_at) as committed_at, count(*) filter (where f.committed_at > now() - interval '1 hour') as files,
           percentile_cont(array[0.5, 0.95]) within group (
             order by extract(epoch from f.committed_at - coalesce(f.closed_at, f.discovered_at)) * 1000)
             filter (where f.committed_at > now() - interval '1 hour') as lags
    from ingest.files f
    where f.state = 'loaded'
  )
  select e.event_time, r.committed_at, now() - e.event_time, now() - r.committed_at, u.files, r.files,
         round((r.lags)[1]::numeric, 1), round((r.lags)[2]::numeric, 1)
  from event e
  cross join under_way u
  cross join recent r
$function$;
-- How fresh the data is: time of the newest event and of the newest commit, their ages, files under way, and over the last hour how many files were loaded and the lag from the end of writing to the commit of their last row (median and 95th percentile, milliseconds). Quick, live to the last commit. Example: select * from shop.freshness(). One row.

grant execute on shop.freshness() to clickledger_operator;

grant execute on shop.freshness() to clickledger_reader;

CREATE OR REPLACE FUNCTION shop.hour_by_weekday(from_time timestamp with time zone DEFAULT (now() - '28 days'::interval), to_time timestamp with time zone DEFAULT now(), time_zone text DEFAULT 'UTC'::text)
 RETURNS TABLE(weekday integer, hour integer, events bigint, views bigint, carts bigint, purchases bigint)
 LANGUAGE sql
 STABLE PARALLEL SAFE
AS $function$
  with counted as (
    select extract(isodow from h.hour at time zone time_zone)::integer as weekday,
           extract(hour from h.hour at time zone time_zone)::integer   as hour,
           sum(h.events) as events, sum(h.views) as views, sum(h.carts) as carts, sum(h.purchases) as purchases
    from (
      -- Offsets of time zones are whole quarters of an hour: few groups are left to be placed.
      select date_bin('15 minutes', r.minute, timestamptz '2001-01-01 00:00:00+00') as hour,
             sum(r.events) as events,
             sum(r.events) filter (where r.event_type = 'product_view') as views,
             sum(r.events) filter (where r.event_type = 'add_to_cart')  as carts,
             sum(r.events) filter (where r.event_type = 'purchase')     as purchases
      from shop.minute_rollup_parts r
      where r.minute >= date_trunc('minute', from_time) and r.minute < to_time
      group by 1
    ) h
    group by 1, 2
  )
  select d.weekday, t.hour, coalesce(c.events, 0)::bigint, coalesce(c.views, 0)::bigint,
         coalesce(c.carts, 0)::bigint, coalesce(c.purchases, 0)::bigint
  from generate_series(1, 7) as d (weekday)
  cross join generate_series(0, 23) as t (hour)
  left join counted c on c.weekday = d.weekday and c.hour = t.hour
  order by d.weekday, t.hour
$function$;
-- When people come: events by weekday (1 is Monday) and hour of the day, as clocks show them in time_zone; from_time is cut to the minute. From the rollup by minute. Example: select * from shop.hour_by_weekday(time_zone => 'Asia/Kolkata'). One row per weekday and hour: always 168.

grant execute on shop.hour_by_weekday(timestamp with time zone,timestamp with time zone,text) to clickledger_operator;

grant execute on shop.hour_by_weekday(timestamp with time zone,timestamp with time zone,text) to clickledger_reader;

CREATE OR REPLACE FUNCTION shop.new_and_returning(width interval DEFAULT '1 day'::interval, from_time timestamp with time zone DEFAULT (now() - '28 days'::interval), to_time timestamp with time zone DEFAULT now(), time_zone text DEFAULT 'UTC'::text)
 RETURNS TABLE(starts_at timestamp with time zone, users bigint, new_users bigint, returning_users bigint, new_share numeric)
 LANGUAGE sql
 STABLE PARALLEL SAFE
AS $function$
  with first_seen as (
    select e.user_id, min(e.event_time) as seen_at
    from shop.events e
    where e.event_time < to_time
    group by e.user_id
  ),
  visits as (
    select distinct e.user_id, shop.bin_of(e.event_time, width, time_zone) as starts_at
    from shop.events e
    where e.event_time >= from_time and e.event_time < to_time
  ),
  counted as (
    select v.starts_at, count(*) as users,
           count(*) filter (where shop.bin_of(f.seen_at, width, time_zone) = v.starts_at) as new_users
    from visits v
    join first_seen f on f.user_id = v.user_id
    group by v.starts_at
  )
  select b.starts_at, coalesce(c.users, 0), coalesce(c.new_users, 0), coalesce(c.users - c.new_users, 0),
         round(c.new_users::numeric / nullif(c.users, 0), 4)
  from shop.bins(from_time, to_time, width, time_zone) as b (starts_at)
  left join counted c on c.starts_at = b.starts_at
  order by b.starts_at
$function$;
-- Users by interval: new where their first event ever lies in it, else returning. time_zone: where days are cut. Scans all events up to to_time: first visits lie anywhere; what retention dropped is not seen. Example: select * from shop.new_and_returning('1 week', now() - interval '8 weeks'). One row per interval, gaps filled.

grant execute on shop.new_and_returning(interval,timestamp with time zone,timestamp with time zone,text) to clickledger_operator;

grant execute on shop.new_and_returning(interval,timestamp with time zone,timestamp with time zone,text) to clickledger_reader;

CREATE OR REPLACE FUNCTION shop.order_values(width interval DEFAULT '1 day'::interval, from_time timestamp with time zone DEFAULT (now() - '7 days'::interval), to_time timestamp with time zone DEFAULT now(), time_zone text DEFAULT 'UTC'::text)
 RETURNS TABLE(starts_at timestamp with time zone, currency text, orders bigint, customers bigint, revenue numeric, average_order_value numeric, median_order_value numeric, lines_per_order numeric, pieces_per_order numeric)
 LANGUAGE sql
 STABLE PARALLEL SAFE
AS $function$
  select shop.bin_of(o.ordered_at, width, time_zone), o.currency, count(*), count(distinct o.user_id), sum(o.revenue),
         round(sum(o.revenue) / count(*), 2),
         round(percentile_cont(0.5) within group (order by o.revenue)::numeric, 2),
         round(sum(o.lines) / count(*), 2), round(sum(o.quantity)::numeric / count(*), 2)
  from shop.orders(from_time, to_time) o
  group by 1, 2
  order by 2, 1
$function$;
-- Orders and average order value (revenue over orders) by interval; intervals without orders have no row. time_zone: where days are cut. Scans the events of the window. Example: select * from shop.order_values('1 week', now() - interval '8 weeks'). One row per interval and currency.

grant execute on shop.order_values(interval,timestamp with time zone,timestamp with time zone,text) to clickledger_operator;

grant execute on shop.order_values(interval,timestamp with time zone,timestamp with time zone,text) to clickledger_reader;

CREATE OR REPLACE FUNCTION shop.orders(from_time timestamp with time zone DEFAULT (now() - '24:00:00'::interval), to_time timestamp with time zone DEFAULT now())
 RETURNS TABLE(order_id uuid, ordered_at timestamp with time zone, user_id text, session_id uuid, currency text, lines bigint, quantity bigint, revenue numeric, device text, country text)
 LANGUAGE sql
 STABLE PARALLEL SAFE
AS $function$
  select e.order_id, min(e.event_time), min(e.user_id), (array_agg(e.session_id order by e.event_time, e.event_id))[1],
         e.currency::text, count(*), sum(e.quantity)::bigint, sum(e.price * e.quantity), min(e.device),
         min(e.country::text)
  from shop.events e
  where e.event_time >= from_time and e.event_time < to_time and e.event_type = 'purchase'
  group by e.order_id, e.currency
$function$;
-- Orders: the purchase events of one order_id together. revenue: sum of price times quantity. Scans the events of the window. Example: select * from shop.orders() order by revenue desc limit 20. One row per order and currency.

grant execute on shop.orders(timestamp with time zone,timestamp with time zone) to clickledger_operator;

grant execute on shop.orders(timestamp with time zone,timestamp with time zone) to clickledger_reader;

CREATE OR REPLACE FUNCTION shop.product_sales(from_time timestamp with time zone DEFAULT date_trunc('hour'::text, (now() - '23:00:00'::interval)), to_time timestamp with time zone DEFAULT now())
 RETURNS TABLE(product_id text, currency text, views bigint, carts bigint, removals bigint, purchases bigint, quantity bigint, revenue numeric)
 LANGUAGE sql
 STABLE PARALLEL SAFE
AS $function$
  with whole as (
    select date_trunc('hour', from_time + interval '1 hour' - interval '1 microsecond', 'UTC') as first_hour,
           date_trunc('hour', to_time + case when to_time >= now() then interval '1 hour' else interval '0' end, 'UTC')
             as end_hour
  ),
  parts as (
    select r.product_id, r.currency::text as currency, r.views, r.carts, r.removals, r.purchases, r.quantity, r.revenue
    from shop.product_rollup_parts r
    where r.hour >= (select w.first_hour from whole w) and r.hour < (select w.end_hour from whole w)
    union all
    select e.product_id, e.currency::text,
           count(*) filter (where e.event_type = 'product_view'),
           count(*) filter (where e.event_type = 'add_to_cart'),
           count(*) filter (where e.event_type = 'remove_from_cart'),
           count(*) filter (where e.event_type = 'purchase'),
           coalesce(sum(e.quantity) filter (where e.event_type = 'purchase'), 0),
           coalesce(sum(e.price * e.quantity) filter (where e.event_type = 'purchase'), 0)
    from shop.events e
    where e.event_time >= from_time and e.event_time < least(to_time, (select w.first_hour from whole w))
      and (select from_time < w.first_hour from whole w)
    group by 1, 2
    union all
    select e.product_id, e.currency::text,
           count(*) filter (where e.event_type = 'product_view'),
           count(*) filter (where e.event_type = 'add_to_cart'),
           count(*) filter (where e.event_type = 'remove_from_cart'),
           count(*) filter (where e.event_type = 'purchase'),
           coalesce(sum(e.quantity) filter (where e.event_type = 'purchase'), 0),
           coalesce(sum(e.price * e.quantity) filter (where e.event_type = 'purchase'), 0)
    from shop.events e
    where e.event_time >= greatest(from_time, (select w.end_hour from whole w)) and e.event_time < to_time
      and (select w.first_hour <= w.end_hour from whole w)
    group by 1, 2
  )
  select p.product_id, p.currency, sum(p.views)::bigint, sum(p.carts)::bigint, sum(p.removals)::bigint,
         sum(p.purchases)::bigint, sum(p.quantity)::bigint, sum(p.revenue)
  from parts p
  group by p.product_id, p.currency
  having sum(p.views) <> 0 or sum(p.carts) <> 0 or sum(p.removals) <> 0 or sum(p.purchases) <> 0
$function$;
-- What happened to each product in exactly [from_time, to_time): whole hours from the rollup, the cut hours at both ends (also those of time zones off the whole hour) from the events. The other functions about products build on it. Where to_time is now or later, all of the hour under way counts. Live to the last commit. Example: select * from shop.product_sales(now() - interval '1 hour') order by revenue desc. One row per product and currency.

grant execute on shop.product_sales(timestamp with time zone,timestamp with time zone) to clickledger_operator;

grant execute on shop.product_sales(timestamp with time zone,timestamp with time zone) to clickledger_reader;

CREATE OR REPLACE FUNCTION shop.rate_anomalies(from_time timestamp with time zone DEFAULT (now() - '24:00:00'::interval), to_time timestamp with time zone DEFAULT now(), threshold numeric DEFAULT 3.5, weeks integer DEFAULT 8)
 RETURNS TABLE(hour timestamp with time zone, events bigint, usual_events numeric, observations bigint, score numeric, is_anomaly boolean)
 LANGUAGE sql
 STABLE PARALLEL SAFE
AS $function$
  with hourly as materialized (
    select date_trunc('hour', r.minute, 'UTC') as hour, sum(r.events)::bigint as events
    from shop.minute_rollup_parts r
    where r.minute >= date_trunc('hour', from_time, 'UTC') - weeks * interval '168 hours' and r.minute < to_time
    group by 1
  ),
  first_part as (
    select date_trunc('hour', least((select min(b.minute) from shop.minute_rollup_base b),
                                    (select min(c.last_minute) from shop.rollup_copies c),
                                    (select min(d.minute) from shop.minute_rollup_delta d)), 'UTC') as hour
  ),
  -- What was unloaded may have left groups at zero; of events that retention dropped, only these tell.
  beginning as (
    select case when (select min(z.events_from) from ingest.horizon z) > f.hour
                     or exists (select from shop.events e
                                where e.event_time < date_trunc('hour', from_time, 'UTC') - weeks * interval '168 hours')
                then f.hour
                else (select min(h.hour) from hourly h where h.events <> 0) end as hour
    from first_part f
  ),
  asked as (
    select s.hour, coalesce(h.events, 0) as events
    from generate_series(date_trunc('hour', from_time, 'UTC'), to_time - interval '1 hour', interval '1 hour') as s (hour)
    left join hourly h on h.hour = s.hour
  ),
  compared as (
    select a.hour, a.events, coalesce(h.events, 0) as past_events
    from asked a
    cross join generate_series(1, weeks) as w (weeks_ago)
    cross join beginning b
    left join hourly h on h.hour = a.hour - w.weeks_ago * interval '168 hours'
    -- The first hour is cut by whenever the shop began.
    where a.hour - w.weeks_ago * interval '168 hours' > b.hour
  ),
  medians as (
    select c.hour, percentile_cont(0.5) within group (order by c.past_events)::numeric as median
    from compared c
    group by c.hour
  ),
  spreads as (
    select c.hour, count(*) as observations,
           percentile_cont(0.5) within group (order by abs(c.past_events - m.median))::numeric as mad,
           avg(abs(c.past_events - m.median)) as mean_deviation
    from compared c
    join medians m on m.hour = c.hour
    group by c.hour
  ),
  scored as (
    select a.hour, a.events, m.median, coalesce(s.observations, 0) as observations,
           case when s.observations < 3 then null
                when s.mad > 0 then 0.6745 * (a.events - m.median) / s.mad
                else (a.events - m.median) / nullif(1.253314 * s.mean_deviation, 0) end as score
    from asked a
    left join medians m on m.hour = a.hour
    left join spreads s on s.hour = a.hour
  )
  select s.hour, s.events, round(s.median, 1), s.observations, round(s.score, 2), coalesce(abs(s.score) > threshold, false)
  from scored s
  order by s.hour
$function$;
-- Hours with unusually many or few events, against the same hour of the week in the weeks before: the modified z-score of Iglewicz and Hoaglin (1993), 0.6745 (x - median) / MAD, with the mean absolute deviation where the MAD is 0; null with fewer than three observations. An anomaly lies beyond threshold (3.5, as they recommend). Only whole hours (UTC) that are over. From the rollup by minute. Example: select * from shop.rate_anomalies(now() - interval '7 days') where is_anomaly. One row per hour.

grant execute on shop.rate_anomalies(timestamp with time zone,timestamp with time zone,numeric,integer) to clickledger_operator;

grant execute on shop.rate_anomalies(timestamp with time zone,timestamp with time zone,numeric,integer) to clickledger_reader;

CREATE OR REPLACE FUNCTION shop.revenue_by(width interval DEFAULT '01:00:00'::interval, from_time timestamp with time zone DEFAULT (now() - '24:00:00'::interval), to_time timestamp with time zone DEFAULT now(), in_currency text DEFAULT NULL::text, time_zone text DEFAULT 'UTC'::text)
 RETURNS TABLE(starts_at timestamp with time zone, currency text, purchases bigint, quantity bigint, revenue numeric)
 LANGUAGE sql
 STABLE PARALLEL SAFE
AS $function$
  with sold as (
    select shop.bin_of(r.minute, width, time_zone) as starts_at, r.currency::text as currency,
           sum(r.events) as purchases, sum(r.quantity) as quantity, sum(r.revenue) as revenue
    from shop.minute_rollup_parts r
    where r.minute >= date_trunc('minute', from_time) and r.minute < to_time
      and r.event_type = 'purchase'
      and (in_currency is null or r.currency = in_currency)
    group by 1, 2
    having sum(r.events) <> 0
  ),
  currencies as (
    select distinct s.currency from sold s
    union
    select in_currency where in_currency is not null or not exists (select from sold)
  )
  select b.starts_at, c.currency, coalesce(s.purchases, 0)::bigint, coalesce(s.quantity, 0)::bigint,
         coalesce(s.revenue, 0)
  from shop.bins(from_time, to_time, width, time_zone) as b (starts_at)
  cross join currencies c
  left join sold s on s.starts_at = b.starts_at and s.currency = c.currency
  order by c.currency, b.starts_at
$function$;
-- Revenue by interval, gaps filled with zeros. width: whole minutes up to weeks; from_time is cut to the minute; time_zone: where days are cut. purchases: lines of orders; revenue: sum of price times quantity. From the rollup by minute: quick, live to the last commit. Example: select * from shop.revenue_by('15 minutes', now() - interval '6 hours'). One row per interval and currency.

grant execute on shop.revenue_by(interval,timestamp with time zone,timestamp with time zone,text,text) to clickledger_operator;

grant execute on shop.revenue_by(interval,timestamp with time zone,timestamp with time zone,text,text) to clickledger_reader;

CREATE OR REPLACE FUNCTION shop.revenue_trend(from_time timestamp with time zone DEFAULT (now() - '28 days'::interval), to_time timestamp with time zone DEFAULT now(), in_currency text DEFAULT NULL::text, time_zone text DEFAULT 'UTC'::text)
 RETURNS TABLE(day date, currency text, revenue numeric, moving_average numeric, change_on_day numeric, change_on_week numeric)
 LANGUAGE sql
 STABLE PARALLEL SAFE
AS $function$
  with days as (
    select (r.starts_at at time zone time_zone)::date as day, r.currency, r.revenue,
           round(avg(r.revenue) over last_week, 2) as moving_average,
           lag(r.revenue) over in_order            as day_before,
           lag(r.revenue, 7) over in_order         as week_before
    from shop.revenue_by('1 day', (date_trunc('day', from_time at time zone time_zone) - interval '7 days') at time zone time_zone,
                         to_time, in_currency, time_zone) r
    window in_order  as (partition by r.currency order by r.starts_at),
           last_week as (partition by r.currency order by r.starts_at rows between 6 preceding and current row)
  )
  select d.day, d.currency, d.revenue, d.moving_average,
         round((d.revenue - d.day_before) / nullif(d.day_before, 0), 4),
         round((d.revenue - d.week_before) / nullif(d.week_before, 0), 4)
  from days d
  where d.day >= (from_time at time zone time_zone)::date
  order by d.currency, d.day
$function$;
-- Revenue by day with its moving average over seven days (that day and the six before; days without sales count as 0), and the change on the day and on the week before as a share (0.1 is 10 % more; null where there was nothing). Days are those of time_zone; the last one may be under way. From the rollup by minute. Example: select * from shop.revenue_trend(time_zone => 'Europe/Berlin'). One row per day and currency.

grant execute on shop.revenue_trend(timestamp with time zone,timestamp with time zone,text,text) to clickledger_operator;

grant execute on shop.revenue_trend(timestamp with time zone,timestamp with time zone,text,text) to clickledger_reader;

CREATE OR REPLACE FUNCTION shop.session_funnel(from_time timestamp with time zone DEFAULT (now() - '7 days'::interval), to_time timestamp with time zone DEFAULT now(), split_by shop.session_split DEFAULT 'all'::shop.session_split)
 RETURNS TABLE(value text, viewed bigint, carted bigint, purchased bigint, view_to_cart numeric, cart_to_purchase numeric, view_to_purchase numeric)
 LANGUAGE sql
 STABLE PARALLEL SAFE
AS $function$
  with steps as (
    select case split_by when 'category' then e.category when 'device' then e.device
                         when 'country' then e.country::text else 'all' end as value,
           e.session_id, e.event_type, e.event_time
    from shop.events e
    where e.event_time >= from_time and e.event_time < to_time
      and e.event_type in ('product_view', 'add_to_cart', 'purchase')
  ),
  after_view as (
    select s.value, s.session_id, s.event_type, s.event_time,
           min(s.event_time) filter (where s.event_type = 'product_view')
             over (partition by s.value, s.session_id) as viewed_at
    from steps s
  ),
  after_cart as (
    select a.value, a.session_id, a.event_type, a.event_time, a.viewed_at,
           min(a.event_time) filter (where a.event_type = 'add_to_cart' and a.event_time >= a.viewed_at)
             over (partition by a.value, a.session_id) as carted_at
    from after_view a
  ),
  reached as (
    select a.value, a.session_id, min(a.viewed_at) as viewed_at, min(a.carted_at) as carted_at,
           bool_or(a.event_type = 'purchase' and a.event_time >= a.carted_at) as has_purchased
    from after_cart a
    where a.viewed_at is not null
    group by a.value, a.session_id
  ),
  counted as (
    select r.value, count(*) as viewed, count(r.carted_at) as carted,
           count(*) filter (where r.has_purchased) as purchased
    from reached r
    group by r.value
  )
  select n.value, n.viewed, n.carted, n.purchased,
         round(n.carted::numeric / nullif(n.viewed, 0), 4),
         round(n.purchased::numeric / nullif(n.carted, 0), 4),
         round(n.purchased::numeric / nullif(n.viewed, 0), 4)
  from counted n
  order by n.viewed desc, n.value
$function$;
-- Sessions that viewed a product, then put one into the cart, then purchased: a closed funnel, each step at or after the first of the one before (as funnel explorations of web analytics count). split_by: all, category, device or country; a session takes part in every value that it has events of. Scans the events of the window. Example: select * from shop.session_funnel(now() - interval '1 day', now(), 'device'). One row per value, most sessions first.

grant execute on shop.session_funnel(timestamp with time zone,timestamp with time zone,shop.session_split) to clickledger_operator;

grant execute on shop.session_funnel(timestamp with time zone,timestamp with time zone,shop.session_split) to clickledger_reader;

CREATE OR REPLACE FUNCTION shop.session_statistics(from_time timestamp with time zone DEFAULT (now() - '7 days'::interval), to_time timestamp with time zone DEFAULT now(), split_by shop.session_split DEFAULT 'all'::shop.session_split)
 RETURNS TABLE(value text, sessions bigint, users bigint, median_duration interval, average_events numeric, average_products numeric, single_event_share numeric, carted_share numeric, conversion_rate numeric)
 LANGUAGE sql
 STABLE PARALLEL SAFE
AS $function$
  with visits as (
    select case split_by when 'category' then e.category when 'device' then e.device
                         when 'country' then e.country::text else 'all' end as value,
           e.session_id, min(e.user_id) as user_id, max(e.event_time) - min(e.event_time) as duration,
           count(*) as events, count(distinct e.product_id) as products,
           bool_or(e.event_type = 'add_to_cart') as carted, bool_or(e.event_type = 'purchase') as converted
    from shop.events e
    where e.event_time >= from_time and e.event_time < to_time
    group by 1, 2
  )
  select v.value, count(*), count(distinct v.user_id),
         percentile_cont(0.5) within group (order by v.duration),
         round(avg(v.events), 2), round(avg(v.products), 2),
         round(count(*) filter (where v.events = 1)::numeric / count(*), 4),
         round(count(*) filter (where v.carted)::numeric / count(*), 4),
         round(count(*) filter (where v.converted)::numeric / count(*), 4)
  from visits v
  group by v.value
  order by count(*) desc, v.value
$function$;
-- How sessions are: how many, median duration, depth, share with a single event (bounces), with a cart, and with a purchase. split_by: all, category, device or country. Scans the events of the window. Example: select * from shop.session_statistics(split_by => 'country') limit 10. One row per value, most sessions first.

grant execute on shop.session_statistics(timestamp with time zone,timestamp with time zone,shop.session_split) to clickledger_operator;

grant execute on shop.session_statistics(timestamp with time zone,timestamp with time zone,shop.session_split) to clickledger_reader;

CREATE OR REPLACE FUNCTION shop.sessions(from_time timestamp with time zone DEFAULT (now() - '24:00:00'::interval), to_time timestamp with time zone DEFAULT now())
 RETURNS TABLE(session_id uuid, user_id text, device text, country text, started_at timestamp with time zone, ended_at timestamp with time zone, duration interval, events bigint, views bigint, products bigint, entry_product_id text, exit_product_id text, carted boolean, converted boolean)
 LANGUAGE sql
 STABLE PARALLEL SAFE
AS $function$
  select e.session_id, min(e.user_id), min(e.device), min(e.country::text), min(e.event_time), max(e.event_time),
         max(e.event_time) - min(e.event_time), count(*),
         count(*) filter (where e.event_type = 'product_view'), count(distinct e.product_id),
         (array_agg(e.product_id order by e.event_time, e.event_id))[1],
         (array_agg(e.product_id order by e.event_time desc, e.event_id desc))[1],
         bool_or(e.event_type = 'add_to_cart'), bool_or(e.event_type = 'purchase')
  from shop.events e
  where e.event_time >= from_time and e.event_time < to_time
  group by e.session_id
$function$;
-- Sessions by their events in the window: duration from the first to the last of them, depth (events, views, distinct products), first and last product, whether something was put into the cart, and purchased (converted). Scans the events of the window. Example: select avg(duration), avg(events) from shop.sessions() where converted. One row per session.

grant execute on shop.sessions(timestamp with time zone,timestamp with time zone) to clickledger_operator;

grant execute on shop.sessions(timestamp with time zone,timestamp with time zone) to clickledger_reader;

CREATE OR REPLACE FUNCTION shop.summarize_copies()
 RETURNS integer
 LANGUAGE sql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
 SET lock_timeout TO '200ms'
AS $function$
  select brin_summarize_new_values('shop.minute_rollup_bulk_brin')
       + brin_summarize_new_values('shop.product_rollup_bulk_brin')
$function$;
-- Makes new ranges of what loads copied known to the indexes by time, and returns how many; never blocks a load.

grant execute on shop.summarize_copies() to clickledger_ingest;

CREATE OR REPLACE FUNCTION shop.top_products(ranked_by shop.product_measure DEFAULT 'revenue'::shop.product_measure, from_time timestamp with time zone DEFAULT date_trunc('hour'::text, (now() - '23:00:00'::interval)), to_time timestamp with time zone DEFAULT now(), in_currency text DEFAULT NULL::text, max_rows integer DEFAULT 10)
 RETURNS TABLE(rank bigint, product_id text, product_name text, category text, brand text, currency text, views bigint, carts bigint, purchases bigint, quantity bigint, revenue numeric)
 LANGUAGE sql
 STABLE PARALLEL SAFE
AS $function$
  with whole as (
    select date_trunc('hour', from_time + interval '1 hour' - interval '1 microsecond', 'UTC') as first_hour,
           date_trunc('hour', to_time + case when to_time >= now() then interval '1 hour' else interval '0' end, 'UTC')
             as end_hour
  ),
  -- What sells is found among the purchases, which are few; the rest is asked of the winners alone.
  sold as (
    select r.product_id, r.currency::text as currency, r.purchases, r.quantity, r.revenue
    from shop.product_rollup_parts r
    where r.hour >= (select w.first_hour from whole w) and r.hour < (select w.end_hour from whole w)
      and r.purchases <> 0 and ranked_by in ('purchases', 'quantity', 'revenue')
    union all
    select e.product_id, e.currency::text, 1, e.quantity, e.price * e.quantity
    from shop.events e
    where e.event_time >= from_time and e.event_time < least(to_time, (select w.first_hour from whole w))
      and (select from_time < w.first_hour from whole w)
      and e.event_type = 'purchase' and ranked_by in ('purchases', 'quantity', 'revenue')
    union all
    select e.product_id, e.currency::text, 1, e.quantity, e.price * e.quantity
    from shop.events e
    where e.event_time >= greatest(from_time, (select w.end_hour from whole w)) and e.event_time < to_time
      and (select w.first_hour <= w.end_hour from whole w)
      and e.event_type = 'purchase' and ranked_by in ('purchases', 'quantity', 'revenue')
  ),
  sellers as (
    select row_number() over (order by
             case ranked_by when 'purchases' then t.purchases when 'quantity' then t.quantity else t.revenue end desc,
             t.product_id, t.currency) as rank,
           t.product_id, t.currency, t.purchases, t.quantity, t.revenue
    from (
      select s.product_id, s.currency, sum(s.purchases)::bigint as purchases, sum(s.quantity)::bigint as quantity,
             sum(s.revenue) as revenue
      from sold s
      where in_currency is null or s.currency = in_currency
      group by s.product_id, s.currency
      having sum(s.purchases) <> 0
    ) t
  ),
  -- Read once for all of them: what was copied has no index by product.
  copied as materialized (
    select k.product_id, k.currency::text as currency, sum(k.views) as views, sum(k.carts) as carts
    from shop.product_rollup_bulk k
    where k.hour >= (select w.first_hour from whole w) and k.hour < (select w.end_hour from whole w)
      and k.product_id in (select s.product_id from sellers s where s.rank <= max_rows)
    group by k.product_id, k.currency
  ),
  best_sellers as (
    select s.rank, s.product_id, s.currency, seen.views, seen.carts, s.purchases, s.quantity, s.revenue
    from sellers s
    cross join lateral (
      select sum(x.views)::bigint as views, sum(x.carts)::bigint as carts
      from (
        select sum(b.views) as views, sum(b.carts) as carts
        from shop.product_rollup_base b
        where b.hour = any(array(
                select h.hour
                from whole w
                cross join lateral generate_series(w.first_hour, w.end_hour - interval '1 hour', interval '1 hour') as h (hour)))
          and b.product_id = s.product_id and b.currency = s.currency
        union all
        select k.views, k.carts
        from copied k
        where k.product_id = s.product_id and k.currency = s.currency
        union all
        select sum(d.views), sum(d.carts)
        from shop.product_rollup_delta d
        where d.hour >= (select w.first_hour from whole w) and d.hour < (select w.end_hour from whole w)
          and d.product_id = s.product_id and d.currency = s.currency
        union all
        select count(*) filter (where e.event_type = 'product_view'), count(*) filter (where e.event_type = 'add_to_cart')
        from shop.events e
        where e.event_time >= from_time and e.event_time < least(to_time, (select w.first_hour from whole w))
          and (select from_time < w.first_hour from whole w)
          and e.product_id = s.product_id and e.currency = s.currency
        union all
        select count(*) filter (where e.event_type = 'product_view'), count(*) filter (where e.event_type = 'add_to_cart')
        from shop.events e
        where e.event_time >= greatest(from_time, (select w.end_hour from whole w)) and e.event_time < to_time
          and (select w.first_hour <= w.end_hour from whole w)
          and e.product_id = s.product_id and e.currency = s.currency
      ) x
    ) seen
    where s.rank <= max_rows
  ),
  most_seen as (
    select row_number() over (order by case ranked_by when 'carts' then s.carts else s.views end desc,
             s.product_id, s.currency) as rank,
           s.product_id, s.currency, s.views, s.carts, s.purchases, s.quantity, s.revenue
    from shop.product_sales(from_time, to_time) s
    where ranked_by in ('views', 'carts') and (in_currency is null or s.currency = in_currency)
  ),
  ranked as (
    select b.rank, b.product_id, b.currency, coalesce(b.views, 0) as views, coalesce(b.carts, 0) as carts,
           b.purchases, b.quantity, b.revenue
    from best_sellers b
    union all
    select m.rank, m.product_id, m.currency, m.views, m.carts, m.purchases, m.quantity, m.revenue
    from most_seen m
    where m.rank <= max_rows
  )
  select r.rank, r.product_id, p.product_name, p.category, p.brand, r.currency, r.views, r.carts, r.purchases,
         r.quantity, r.revenue
  from ranked r
  left join shop.products p on p.product_id = r.product_id
  order by r.rank
$function$;
-- The products with most views, carts, purchases (lines of orders), quantity (pieces) or revenue; equals in the order of their ids. Revenue of several currencies is ranked by its number: give in_currency where there are several. Ranked by what sells, products that were not sold are left out. From the rollup by hour, live to the last commit; what sells is quick in windows of whole hours, or up to now (all of the hour under way). Example: select * from shop.top_products('views', now() - interval '7 days'). One row per product and currency, best first.

grant execute on shop.top_products(shop.product_measure,timestamp with time zone,timestamp with time zone,text,integer) to clickledger_operator;

grant execute on shop.top_products(shop.product_measure,timestamp with time zone,timestamp with time zone,text,integer) to clickledger_reader;

CREATE OR REPLACE FUNCTION shop.viewed_but_not_bought(from_time timestamp with time zone DEFAULT date_trunc('hour'::text, (now() - '7 days'::interval)), to_time timestamp with time zone DEFAULT now(), min_views bigint DEFAULT 20, max_rows integer DEFAULT 10)
 RETURNS TABLE(product_id text, product_name text, category text, brand text, views bigint, purchases bigint, purchases_per_view numeric, usual_purchases_per_view numeric, missing_purchases numeric)
 LANGUAGE sql
 STABLE PARALLEL SAFE
AS $function$
  with products as (
    select s.product_id, sum(s.views)::bigint as views, sum(s.purchases)::bigint as purchases
    from shop.product_sales(from_time, to_time) s
    group by s.product_id
  ),
  usual as (
    select sum(p.purchases) / nullif(sum(p.views), 0) as purchases_per_view from products p
  )
  select p.product_id, d.product_name, d.category, d.brand, p.views, p.purchases,
         round(p.purchases::numeric / nullif(p.views, 0), 4), round(u.purchases_per_view, 4),
         round(p.views * u.purchases_per_view - p.purchases, 1)
  from products p
  cross join usual u
  left join shop.products d on d.product_id = p.product_id
  where p.views >= min_views and p.purchases < p.views * u.purchases_per_view
  order by p.views * u.purchases_per_view - p.purchases desc, p.product_id
  limit max_rows
$function$;
-- Products that are much viewed but little bought: those that miss most purchases against the shop's own ratio of purchases to views in the window; with at least min_views. From the rollup by hour. Example: select * from shop.viewed_but_not_bought(now() - interval '28 days', min_views => 100). One row per product, most purchases missing first.

grant execute on shop.viewed_but_not_bought(timestamp with time zone,timestamp with time zone,bigint,integer) to clickledger_operator;

grant execute on shop.viewed_but_not_bought(timestamp with time zone,timestamp with time zone,bigint,integer) to clickledger_reader;

CREATE OR REPLACE FUNCTION shop.weekly_cohorts(from_time timestamp with time zone DEFAULT (now() - '56 days'::interval), to_time timestamp with time zone DEFAULT now(), time_zone text DEFAULT 'UTC'::text)
 RETURNS TABLE(cohort_week date, weeks_later integer, cohort_users bigint, active_users bigint, retention numeric)
 LANGUAGE sql
 STABLE PARALLEL SAFE
AS $function$
  with active as (
    select distinct e.user_id, date_trunc('week', e.event_time at time zone time_zone)::date as week
    from shop.events e
    where e.event_time < to_time
  ),
  cohorts as (
    select a.user_id, min(a.week) as cohort_week from active a group by a.user_id
  ),
  sizes as (
    select c.cohort_week, count(*) as cohort_users
    from cohorts c
    where c.cohort_week >= date_trunc('week', from_time at time zone time_zone)::date
    group by c.cohort_week
  ),
  returned as (
    select c.cohort_week, (a.week - c.cohort_week) / 7 as weeks_later, count(*) as active_users
    from cohorts c
    join active a on a.user_id = c.user_id
    group by 1, 2
  )
  select s.cohort_week, w.weeks_later, s.cohort_users, coalesce(r.active_users, 0),
         round(coalesce(r.active_users, 0)::numeric / s.cohort_users, 4)
  from sizes s
  cross join lateral generate_series(
    0, (date_trunc('week', (to_time - interval '1 microsecond') at time zone time_zone)::date - s.cohort_week) / 7
  ) as w (weeks_later)
  left join returned r on r.cohort_week = s.cohort_week and r.weeks_later = w.weeks_later
  order by s.cohort_week, w.weeks_later
$function$;
-- Weekly cohort retention: users by the week of their first event ever, and how many of them came back in each later week (weeks_later 0 is the first itself, so 1.0). Weeks begin on Monday in time_zone. Scans all events up to to_time: first visits lie anywhere; what retention dropped is not seen. Example: select * from shop.weekly_cohorts(now() - interval '12 weeks'). One row per cohort and week, up to the week of to_time.

grant execute on shop.weekly_cohorts(timestamp with time zone,timestamp with time zone,text) to clickledger_operator;

grant execute on shop.weekly_cohorts(timestamp with time zone,timestamp with time zone,text) to clickledger_reader;
