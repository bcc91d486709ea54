-- Run once by the PostgreSQL container, when its volume is empty: the logins of those who are not the owner.
-- The passwords come from the environment, so that none stands in a command line.
\getenv app_password APP_DATABASE_PASSWORD
\getenv temporal_password TEMPORAL_DATABASE_PASSWORD

-- The groups, which migrations would create otherwise and fill with rights.
create role clickledger_ingest nologin;
create role clickledger_reader nologin;
create role clickledger_operator nologin;
create role clickledger_app login password :'app_password'
  in role clickledger_ingest, clickledger_reader, clickledger_operator;

create role temporal login password :'temporal_password';
create database temporal owner temporal;
create database temporal_visibility owner temporal;
