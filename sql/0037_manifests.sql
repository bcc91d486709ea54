-- What producers say of their files: <name>.manifest.json beside a file, before or after it.

create table ingest.manifests (
  manifest_id bigint      generated always as identity primary key,
  inbox_id    uuid        not null,
  file_name   text        not null,
  rows        bigint,
  amount      numeric(20,2),
  sha256      text        check (sha256 ~ '^[0-9a-f]{64}$'),
  error       text,
  seen_at     timestamptz not null default now(),
  constraint manifests_say_something check (error is not null or coalesce(rows::text, amount::text, sha256) is not null)
);
comment on table  ingest.manifests             is 'Manifests as they were read. One row per manifest.';
comment on column ingest.manifests.manifest_id is 'Number of the manifest.';
comment on column ingest.manifests.inbox_id    is 'The inbox in which it landed.';
comment on column ingest.manifests.file_name   is 'Name of the file that it speaks of.';
comment on column ingest.manifests.rows        is 'Records that the file has to have.';
comment on column ingest.manifests.amount      is 'Sum of price times quantity over all of its records.';
comment on column ingest.manifests.sha256      is 'Hash of its bytes as they lie on disk.';
comment on column ingest.manifests.error       is 'Why the manifest itself could not be read; null when it could.';
comment on column ingest.manifests.seen_at     is 'When it was read.';
create index manifests_by_name on ingest.manifests (inbox_id, file_name);
comment on index ingest.manifests_pkey    is 'Serves: a manifest by its number.';
comment on index ingest.manifests_by_name is 'Serves: what was said of a file.';

create view ingest.manifest_checks as
select m.manifest_id, m.file_name, f.file_id, m.seen_at,
       case
         when m.error is not null                                then 'unreadable'
         when f.file_id is null                                  then 'missing'
         when f.state in ('loading', 'unloading')                then 'under way'
         when f.state <> 'loaded' and f.duplicate_of is null     then f.state
         when m.sha256 is not null and m.sha256 <> f.sha256      then 'altered'
         when l.records < m.rows                                 then 'short'
         when l.records > m.rows                                 then 'long'
         when m.amount is not null and l.loaded = l.records and m.amount <> a.amount then 'amount differs'
         else 'complete'
       end as verdict,
       m.rows as expected_rows, l.records as found_rows, m.amount as expected_amount, a.amount as found_amount,
       m.error
from ingest.manifests m
left join lateral (
  select x.file_id, x.state, x.sha256, x.duplicate_of
  from ingest.files x
  where x.inbox_id = m.inbox_id and x.file_name = m.file_name
  order by x.file_id desc
  limit 1
) f on true
left join ingest.files l on l.file_id = coalesce(f.duplicate_of, f.file_id) and l.state = 'loaded'
left join lateral (
  select sum(e.price * e.quantity) as amount
  from shop.events e
  where e.file_id = l.file_id and m.amount is not null
) a on true;
comment on view   ingest.manifest_checks                 is 'What producers said of their files against what was loaded, always as of now. verdict: complete; missing (no file of this name), under way, short or long (fewer or more records), altered (other bytes), amount differs, a state such as failed, or unreadable (the manifest). The newest version of a file counts; the amount is compared where all its records were loaded. One row per manifest.';
comment on column ingest.manifest_checks.manifest_id     is 'The manifest.';
comment on column ingest.manifest_checks.file_name       is 'Name of the file that it speaks of.';
comment on column ingest.manifest_checks.file_id         is 'Newest file of that name; null where none has landed.';
comment on column ingest.manifest_checks.seen_at         is 'When the manifest was read.';
comment on column ingest.manifest_checks.verdict         is 'What comparing them says.';
comment on column ingest.manifest_checks.expected_rows   is 'Records by the manifest.';
comment on column ingest.manifest_checks.found_rows      is 'Records by the ledger.';
comment on column ingest.manifest_checks.expected_amount is 'Sum of price times quantity by the manifest.';
comment on column ingest.manifest_checks.found_amount    is 'The same of the events that came from the file.';
comment on column ingest.manifest_checks.error           is 'Why the manifest could not be read.';

grant select, insert on ingest.manifests to clickledger_ingest;
grant select on ingest.manifests, ingest.manifest_checks to clickledger_reader, clickledger_operator;
