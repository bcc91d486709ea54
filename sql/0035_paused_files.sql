-- A file that a person has stopped for a while. Its workflow waits; what was committed stays.

alter table ingest.files add column paused_at timestamptz;
comment on column ingest.files.paused_at is 'Since when a person has it paused; null while it goes on.';
