-- How long files take on their way, from the end of writing to settled.

create view ingest.lag as
select f.file_id, f.file_name, f.state, f.closed_at, f.discovered_at, f.started_at, f.committed_at, f.settled_at,
       round(1000 * extract(epoch from f.discovered_at - coalesce(f.closed_at, f.discovered_at)), 1) as discover_ms,
       round(1000 * extract(epoch from f.started_at - f.discovered_at), 1)                           as start_ms,
       round(1000 * extract(epoch from f.committed_at - f.started_at), 1)                            as load_ms,
       round(1000 * extract(epoch from f.settled_at - f.committed_at), 1)                            as settle_ms,
       round(1000 * extract(epoch from f.committed_at - coalesce(f.closed_at, f.discovered_at)), 1)  as lag_ms
from ingest.files f;
comment on view   ingest.lag               is 'Stages of each file and the time between them, milliseconds; null where a stage was not reached. One row per version of a file.';
comment on column ingest.lag.file_id       is 'The file.';
comment on column ingest.lag.file_name     is 'Name under which it landed.';
comment on column ingest.lag.state         is 'State in the ledger.';
comment on column ingest.lag.closed_at     is 'When the writer was done, as far as it was seen; null where only a listing found the file.';
comment on column ingest.lag.discovered_at is 'When the watcher took the file for ready.';
comment on column ingest.lag.started_at    is 'When a worker first claimed it.';
comment on column ingest.lag.committed_at  is 'When its last chunk was committed.';
comment on column ingest.lag.settled_at    is 'When it was moved and nothing remained to do.';
comment on column ingest.lag.discover_ms   is 'From closed to discovered.';
comment on column ingest.lag.start_ms      is 'From discovered to started; the clocks of watcher and database may differ by a little.';
comment on column ingest.lag.load_ms       is 'From started to committed.';
comment on column ingest.lag.settle_ms     is 'From committed to settled.';
comment on column ingest.lag.lag_ms        is 'From closed (or discovered) to committed: when its last row could be queried.';

create view ingest.lag_by_minute as
select date_trunc('minute', l.committed_at, 'UTC') as minute, count(*) as files,
       round(percentile_cont(0.5)  within group (order by l.lag_ms)::numeric, 1) as p50_ms,
       round(percentile_cont(0.95) within group (order by l.lag_ms)::numeric, 1) as p95_ms,
       round(percentile_cont(0.99) within group (order by l.lag_ms)::numeric, 1) as p99_ms,
       max(l.lag_ms)                                                             as max_ms
from ingest.lag l
where l.state = 'loaded' and l.committed_at is not null
group by 1;
comment on view   ingest.lag_by_minute        is 'Lag of loaded files over time, milliseconds. One row per minute in which a file was committed.';
comment on column ingest.lag_by_minute.minute is 'Start of the minute, UTC.';
comment on column ingest.lag_by_minute.files  is 'Files committed in it.';
comment on column ingest.lag_by_minute.p50_ms is 'Median lag.';
comment on column ingest.lag_by_minute.p95_ms is '95th percentile.';
comment on column ingest.lag_by_minute.p99_ms is '99th percentile.';
comment on column ingest.lag_by_minute.max_ms is 'Longest.';

grant select on ingest.lag, ingest.lag_by_minute to clickledger_reader, clickledger_operator;
