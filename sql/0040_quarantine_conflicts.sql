-- What an unload leaves free is loaded from the records that had contradicted it: they are found by their event.

alter table ingest.rejects add column event_id uuid, add column content_hash bigint;
comment on column ingest.rejects.event_id is
  'Of a record in conflict: the event that another record holds with other content. Null for other faults.';
comment on column ingest.rejects.content_hash is
  'Of a record in conflict: its own, as in ingest.event_keys. Once no key has another one, it may be replayed.';
grant select (event_id, content_hash) on ingest.rejects to clickledger_reader;

create index rejects_in_conflict on ingest.rejects (event_id)
  where state = 'open' and faults @> '[{"code": "conflicting_event"}]';
comment on index ingest.rejects_in_conflict is
  'Serves: which open conflicts does nothing contradict any more? Grows with open conflicts only.';

comment on column ingest.files.ends_with_newline is
  'Whether the last record had a line end; if not it may have been cut. Null while unread, and while what contradicted a cut record, taken out by now, is being loaded.';

alter table ingest.files add column replaced_by bigint references ingest.files;
comment on column ingest.files.replaced_by is
  'The version that it was taken out for: of records in conflict, those of that one are loaded first.';
