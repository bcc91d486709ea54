-- The ledger. Names and states are those of domain/ledger.ts; a test compares them.

create table ingest.horizon (
  feed         text        primary key,
  events_from  timestamptz not null default '2000-01-01 00:00:00+00',
  constraint horizon_is_month check (events_from = date_trunc('month', events_from, 'UTC'))
);
comment on table  ingest.horizon             is 'The time before which the events of a feed have been dropped by retention. One row per feed.';
comment on column ingest.horizon.feed        is 'Name of the feed.';
comment on column ingest.horizon.events_from is 'First of a month, UTC. An older arrival is rejected with before_horizon.';

insert into ingest.horizon (feed) values ('shop_events');

create table ingest.files (
  file_id           bigint      generated always as identity primary key,
  feed              text        not null references ingest.horizon,
  contract_version  integer     not null,
  inbox_id          uuid        not null,
  path              text        not null,
  file_name         text        not null,
  ino               bigint      not null,
  size_bytes        bigint      not null,
  mtime_ms          double precision not null,
  ctime_ms          double precision not null,
  sha256            text        check (sha256 ~ '^[0-9a-f]{64}$'),
  ends_with_newline boolean,
  data_start        bigint,
  data_end          bigint,
  dialect           jsonb,
  header            jsonb,
  state             text        not null default 'loading',
  unload_to         text,
  epoch             integer     not null default 1,
  workflow_id       text        not null,
  run_id            text,
  records           bigint,
  loaded            bigint,
  duplicates        bigint,
  rejected          bigint,
  error_code        text,
  error_message     text,
  duplicate_of      bigint      references ingest.files,
  supersedes        bigint      references ingest.files,
  retry_of          bigint      references ingest.files,
  archive_path      text,
  closed_at         timestamptz,
  discovered_at     timestamptz not null,
  started_at        timestamptz not null default now(),
  committed_at      timestamptz,
  settled_at        timestamptz,
  constraint files_state_known check
    (state in ('loading', 'loaded', 'failed', 'duplicate', 'cancelled', 'unloading', 'unloaded')),
  constraint files_unload_to_known check
    (unload_to in ('unloaded', 'failed', 'cancelled')),
  constraint files_settled_is_final check
    (settled_at is null or state not in ('loading', 'unloading')),
  constraint files_unload_to_with_state check
    ((state = 'unloading') = (unload_to is not null)),
  constraint files_duplicate_names_original check
    ((state = 'duplicate') <= (duplicate_of is not null)),
  constraint files_error_code_known check (error_code in (
    'refused', 'unreadable', 'unreadable_name', 'vanished', 'empty_file', 'unsupported_encoding',
    'broken_compression', 'too_large_expanded', 'header_not_recognised', 'missing_column',
    'duplicate_column', 'unexpected_column', 'changed', 'replaced', 'error_budget', 'cancelled'))
);
comment on table  ingest.files                   is 'Every version of every file that was seen. One row per version of a file.';
comment on column ingest.files.file_id           is 'Number of the file version; part of its name in the archive.';
comment on column ingest.files.feed              is 'The feed whose contract the file is read under.';
comment on column ingest.files.contract_version  is 'Version of the contract that the file was first read under.';
comment on column ingest.files.inbox_id          is 'The inbox in which the file landed (its .clickledger-inbox).';
comment on column ingest.files.path              is 'Where the bytes were read.';
comment on column ingest.files.file_name         is 'Name under which the file landed.';
comment on column ingest.files.ino               is 'Inode at discovery.';
comment on column ingest.files.size_bytes        is 'Size at discovery, bytes.';
comment on column ingest.files.mtime_ms          is 'Modification time at discovery, milliseconds since 1970.';
comment on column ingest.files.ctime_ms          is 'Change time at discovery, milliseconds since 1970.';
comment on column ingest.files.sha256            is 'Hash of the bytes as they lie on disk; null while unread.';
comment on column ingest.files.ends_with_newline is 'Whether the last record had a line end; if not it may have been cut.';
comment on column ingest.files.data_start        is 'Offset after the header in the expanded file; chunks begin here.';
comment on column ingest.files.data_end          is 'Size of the expanded file; chunks end here.';
comment on column ingest.files.dialect           is 'Delimiter, encoding and byte order mark, found from the first record.';
comment on column ingest.files.header            is 'Column names of the file, in its order.';
comment on column ingest.files.state             is 'loading, loaded, failed, duplicate, cancelled, unloading or unloaded.';
comment on column ingest.files.unload_to         is 'While unloading: the state that follows.';
comment on column ingest.files.epoch             is 'Fencing token: raised by claim, cancel and unload; a transaction of another epoch is refused.';
comment on column ingest.files.workflow_id       is 'The workflow that owns the file.';
comment on column ingest.files.run_id            is 'Its latest run.';
comment on column ingest.files.records           is 'Records after the header; null until loaded.';
comment on column ingest.files.loaded            is 'Records that became rows of shop.events.';
comment on column ingest.files.duplicates        is 'Records whose event was already there, with equal content.';
comment on column ingest.files.rejected          is 'Records that broke the contract.';
comment on column ingest.files.error_code        is 'Why the file as a whole was not loaded.';
comment on column ingest.files.error_message     is 'The same for people, with what to do. Never holds a cell value.';
comment on column ingest.files.duplicate_of      is 'The file that already holds these bytes.';
comment on column ingest.files.supersedes        is 'The older version that landed under the same name.';
comment on column ingest.files.retry_of          is 'The file that this row loads once more.';
comment on column ingest.files.archive_path      is 'Where the bytes are, or are about to be, after settling.';
comment on column ingest.files.closed_at         is 'When the writer was done, as far as it was seen.';
comment on column ingest.files.discovered_at     is 'When the watcher took the file for ready.';
comment on column ingest.files.started_at        is 'When a worker first claimed it.';
comment on column ingest.files.committed_at      is 'When the last chunk was committed.';
comment on column ingest.files.settled_at        is 'When the file was moved and nothing remained to do.';

-- The same bytes are loaded once: the third way out for two claims that race.
create unique index files_content_key  on ingest.files (feed, sha256) where state in ('loading', 'loaded', 'unloading');
create unique index files_workflow_key on ingest.files (workflow_id);
-- The re-list asks for what is unfinished, and for the identities it already knows.
create index files_unfinished on ingest.files (inbox_id) where settled_at is null;
create index files_by_name    on ingest.files (inbox_id, file_name);
create index files_recently_archived on ingest.files (inbox_id, settled_at) where archive_path is not null;
create index files_duplicates on ingest.files (duplicate_of) where duplicate_of is not null;

create table ingest.chunks (
  file_id      bigint      not null references ingest.files on delete cascade,
  chunk_no     integer     not null,
  byte_start   bigint      not null,
  byte_end     bigint      not null,
  first_line   integer     not null,
  checksum     text        not null,
  records      integer     not null,
  loaded       integer     not null default 0,
  duplicates   integer     not null default 0,
  rejected     integer     not null default 0,
  epoch        integer,
  attempt      integer,
  worker       text,
  committed_at timestamptz,
  primary key (file_id, chunk_no),
  constraint chunks_range check (byte_start < byte_end),
  constraint chunks_add_up check
    (committed_at is null or records = loaded + duplicates + rejected)
);
comment on table  ingest.chunks              is 'The plan of a file and its progress. One row per chunk: a byte range cut at record borders, committed in one transaction.';
comment on column ingest.chunks.file_id      is 'The file.';
comment on column ingest.chunks.chunk_no     is 'Number of the chunk, from 0.';
comment on column ingest.chunks.byte_start   is 'Offset of its first byte in the expanded file.';
comment on column ingest.chunks.byte_end     is 'Offset after its last byte.';
comment on column ingest.chunks.first_line   is 'Line number at byte_start; the header is line 1.';
comment on column ingest.chunks.checksum     is 'First 16 bytes of the sha-256 of its bytes, as hex.';
comment on column ingest.chunks.records      is 'Records in the range, counted by the plan.';
comment on column ingest.chunks.loaded       is 'Records that became rows; 0 while planned.';
comment on column ingest.chunks.duplicates   is 'Records found to be there already.';
comment on column ingest.chunks.rejected     is 'Records that broke the contract.';
comment on column ingest.chunks.epoch        is 'Epoch of the attempt that committed it.';
comment on column ingest.chunks.attempt      is 'Attempt of the activity that committed it.';
comment on column ingest.chunks.worker       is 'Worker that committed it.';
comment on column ingest.chunks.committed_at is 'Null while planned.';

create table ingest.event_keys (
  event_id     uuid        not null,
  event_time   timestamptz not null,
  file_id      bigint      not null,
  content_hash bigint      not null,
  line_number  integer     not null,
  constraint event_keys_pkey primary key (event_id)
);
comment on table  ingest.event_keys              is 'The one authority on what was loaded, kept also when old events are dropped. One row per event.';
comment on column ingest.event_keys.event_id     is 'The event.';
comment on column ingest.event_keys.event_time   is 'Leads to the partition of shop.events.';
comment on column ingest.event_keys.file_id      is 'The file that the event came from.';
comment on column ingest.event_keys.content_hash is 'Hash of the canonical values of the contract''s columns.';
comment on column ingest.event_keys.line_number  is 'First physical line of the record in that file.';
create index event_keys_file_brin on ingest.event_keys using brin (file_id) with (pages_per_range = 32, autosummarize = on);

create table ingest.duplicates (
  file_id     bigint  not null references ingest.files,
  line_number integer not null,
  event_id    uuid    not null,
  primary key (file_id, line_number)
);
comment on table  ingest.duplicates             is 'Records whose event was loaded before with equal content. One row per such record.';
comment on column ingest.duplicates.file_id     is 'The file of the second copy.';
comment on column ingest.duplicates.line_number is 'Its line.';
comment on column ingest.duplicates.event_id    is 'The event; ingest.event_keys says where it was loaded from.';
create index duplicates_by_event on ingest.duplicates (event_id);

create table ingest.rejects (
  reject_id        bigint      generated always as identity primary key,
  file_id          bigint      not null references ingest.files,
  line_number      integer     not null,
  byte_start       bigint      not null,
  byte_length      bigint      not null,
  raw              bytea       not null,
  raw_truncated    boolean     not null default false,
  faults           jsonb       not null,
  corrected        bytea,
  state            text        not null default 'open',
  contract_version integer     not null,
  created_at       timestamptz not null default now(),
  resolved_at      timestamptz,
  reason           text,
  constraint rejects_state_known check (state in ('open', 'replayed', 'waived', 'withdrawn')),
  constraint rejects_resolved check ((state = 'open') = (resolved_at is null)),
  constraint rejects_faults_known check (
    jsonb_array_length(faults) > 0
    and not jsonb_path_exists(faults, '$[*] ? (!(@.code.type() == "string" && @.code like_regex "^(broken_quote|record_too_long|too_many_columns|invalid_utf8|nul_byte|wrong_column_count|repeated_header|missing_value|invalid_uuid|invalid_timestamp|invalid_number|out_of_range|unknown_value|too_long|control_character|purchase_without_order|order_without_purchase|view_with_quantity|before_horizon|conflicting_event)$"))')),
  -- A fault says what is wrong, never the value.
  constraint rejects_faults_without_value check
    (not jsonb_path_exists(faults, '$[*].keyvalue() ? (!(@.key like_regex "^(code|column|expected)$"))'))
);
comment on table  ingest.rejects                  is 'The quarantine. One row per record that broke the contract.';
comment on column ingest.rejects.reject_id        is 'Number of the reject.';
comment on column ingest.rejects.file_id          is 'Its file.';
comment on column ingest.rejects.line_number      is 'First physical line of the record.';
comment on column ingest.rejects.byte_start       is 'Offset of its first byte in the expanded file.';
comment on column ingest.rejects.byte_length      is 'Length in bytes without the line end.';
comment on column ingest.rejects.raw              is 'The bytes as they were; bytea, because NUL and invalid UTF-8 fit nowhere else.';
comment on column ingest.rejects.raw_truncated    is 'Whether raw holds only the beginning.';
comment on column ingest.rejects.faults           is 'Array of {code, column, expected}; never the value.';
comment on column ingest.rejects.corrected        is 'A correction that a person stored, to be replayed.';
comment on column ingest.rejects.state            is 'open, replayed, waived or withdrawn (its file was unloaded).';
comment on column ingest.rejects.contract_version is 'Contract that it broke.';
comment on column ingest.rejects.created_at       is 'When it was rejected.';
comment on column ingest.rejects.resolved_at      is 'When it left the state open.';
comment on column ingest.rejects.reason           is 'Why a person waived it.';
create unique index rejects_by_line on ingest.rejects (file_id, line_number) where state <> 'withdrawn';

create table ingest.verifications (
  verification_id bigint      generated always as identity primary key,
  file_id         bigint,
  verified_at     timestamptz not null default now(),
  violations      integer     not null,
  outcome         jsonb       not null
);
comment on table  ingest.verifications                 is 'Outcomes of the proof. One row per run of verify.';
comment on column ingest.verifications.verification_id is 'Number of the run.';
comment on column ingest.verifications.file_id         is 'The file that was verified; null: all.';
comment on column ingest.verifications.verified_at     is 'When.';
comment on column ingest.verifications.violations      is 'How many violations; 0 means proven.';
comment on column ingest.verifications.outcome         is 'The violations, as ingest.verify() returned them.';

-- Loading must lock the horizon against a retention that runs at the same time (for share asks for
-- update rights, which the ingest role has no other use for).
create function ingest.lock_horizon(feed_name text) returns timestamptz
  language sql volatile security definer set search_path = pg_catalog, pg_temp
  as $$ select h.events_from from ingest.horizon h where h.feed = feed_name for share $$;
comment on function ingest.lock_horizon(text) is
  'The horizon of a feed, locked in share mode until the transaction ends.';

-- An application older than the schema refuses to load.
create function ingest.schema_version() returns integer
  language sql stable security definer set search_path = pg_catalog, pg_temp
  as $$ select coalesce(max(m.version), 0) from ingest.migrations m $$;
comment on function ingest.schema_version() is 'Number of the newest migration applied to this database.';
