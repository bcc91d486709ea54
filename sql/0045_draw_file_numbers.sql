-- The number of a small file is drawn before its row is made: its keys, which carry the number, come first, and the row
-- is then written once, with the counts that the keys gave.

grant usage on sequence ingest.files_file_id_seq to clickledger_ingest;
