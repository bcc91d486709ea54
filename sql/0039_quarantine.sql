-- What a person may do with rejects. They write nothing but this, and read the raw bytes as operator.

create function ingest.waive_rejects(ids bigint[], why text) returns bigint
  language sql volatile security definer set search_path = pg_catalog, pg_temp
as $$
  with waived as (
    update ingest.rejects r set state = 'waived', resolved_at = now(), reason = why
    where r.reject_id = any(ids) and r.state = 'open'
    returning r.reject_id
  )
  select count(*) from waived
$$;
comment on function ingest.waive_rejects(bigint[], text) is
  'Sets open rejects to waived, with the reason, and returns how many: nobody will replay them.';

create function ingest.correct_reject(id bigint, correction bytea) returns boolean
  language sql volatile security definer set search_path = pg_catalog, pg_temp
as $$
  with corrected as (
    update ingest.rejects r set corrected = correction
    where r.reject_id = id and r.state = 'open'
    returning r.reject_id
  )
  select exists (select from corrected)
$$;
comment on function ingest.correct_reject(bigint, bytea) is
  'Stores a correction of an open reject, to be replayed in place of its raw bytes; false when it is not open.';

grant execute on function ingest.waive_rejects(bigint[], text), ingest.correct_reject(bigint, bytea)
  to clickledger_operator;
