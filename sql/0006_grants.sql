-- Least privilege. Ingest: what loading and unloading need. Reader: everything but raw bytes of rejects.
-- Operator: reader, and the rejects.

grant select, insert, update         on ingest.files      to clickledger_ingest;
grant select, insert, update         on ingest.chunks     to clickledger_ingest;
grant select, insert, update, delete on ingest.event_keys to clickledger_ingest;
grant select, insert, delete         on ingest.duplicates to clickledger_ingest;
grant select, insert, update         on ingest.rejects    to clickledger_ingest;
grant select, insert, update, delete on shop.events       to clickledger_ingest;
grant insert                         on shop.minute_rollup_delta to clickledger_ingest;

revoke execute on all functions in schema ingest, shop from public;
-- Functions of later migrations as well: each says who may call it.
alter default privileges revoke execute on functions from public;
grant execute on function ingest.lock_horizon(text) to clickledger_ingest;
grant execute on function shop.ensure_month(date)   to clickledger_ingest;
grant execute on function shop.fold_rollups()       to clickledger_ingest;
grant execute on function ingest.schema_version(), ingest.verify(bigint), ingest.record_verification(bigint)
  to clickledger_ingest, clickledger_reader, clickledger_operator;

grant select on all tables in schema shop to clickledger_reader, clickledger_operator;
grant select on ingest.files, ingest.chunks, ingest.event_keys, ingest.duplicates, ingest.horizon,
                ingest.verifications, ingest.migrations
  to clickledger_reader, clickledger_operator;
grant select (reject_id, file_id, line_number, byte_start, byte_length, raw_truncated, faults, state,
              contract_version, created_at, resolved_at, reason)
  on ingest.rejects to clickledger_reader;
grant select on ingest.rejects to clickledger_operator;
