-- What the schemas are for and who may enter them. The roles, the schemas and ingest.migrations are made
-- by the migration runner: roles belong to the server, and the runner must write down what it applied.

comment on schema ingest is
  'The ledger: which files were seen, how they were cut, what was committed, refused or found twice.';

comment on schema shop is
  'The events of the shop and everything derived from them. What people query.';

grant usage on schema ingest to clickledger_ingest, clickledger_reader, clickledger_operator;
grant usage on schema shop   to clickledger_ingest, clickledger_reader, clickledger_operator;

comment on table  ingest.migrations            is 'What was applied to this database. One row per file of sql/.';
comment on column ingest.migrations.version    is 'Number of the file.';
comment on column ingest.migrations.name       is 'Its name.';
comment on column ingest.migrations.checksum   is 'sha-256 of its text; a change is refused.';
comment on column ingest.migrations.applied_at is 'When.';
