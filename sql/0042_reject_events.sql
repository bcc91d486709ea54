-- Whoever asks for an event finds it in quarantine too: by an index where the record could be told apart into its
-- columns; the few others are searched byte by byte.

comment on column ingest.rejects.event_id is
  'The event that the record names; null where that cannot be told. Of a record in conflict: the event that another record holds with other content.';
comment on column ingest.rejects.content_hash is
  'Of a record in conflict: its own, as in ingest.event_keys. Once no key has another one, it may be replayed. Null for other faults.';

create index rejects_by_event  on ingest.rejects (event_id) where event_id is not null;
create index rejects_nameless  on ingest.rejects (reject_id) where event_id is null;
create index rejects_corrected on ingest.rejects (reject_id) where corrected is not null;
comment on index ingest.rejects_by_event  is 'Serves: the rejects that name an event.';
comment on index ingest.rejects_nameless  is 'Serves: the rejects whose bytes have to be searched for an event.';
comment on index ingest.rejects_corrected is 'Serves: the rejects whose correction may name another event.';
