-- Which query each index serves. Only the keys' b-tree grows with every loaded event; the others grow with files,
-- chunks, duplicates, rejects and rollup groups.

comment on index ingest.event_keys_pkey is 'Serves: is this event there already? The one b-tree that every loaded event pays for: measured at 0.8 s per million with ids in time order (UUIDv7), 3 to 4 s with random ones (2 cores).';
comment on index ingest.event_keys_file_brin is 'Serves: which events has this file? A block range index: keys of a file lie together, so it costs next to nothing on load.';
comment on index shop.events_time_brin is 'Serves: events of a period, within a month. A block range index: rows arrive nearly ordered by time, so it costs next to nothing on load.';
comment on index shop.events_file_brin is 'Serves: events of a file, for unload and why. A block range index, as above.';
comment on index shop.minute_rollup_base_pkey is 'Serves: groups of a period, and the folder that looks for a group. Paid by the folder, not by loads.';
comment on index shop.minute_rollup_base_zero is 'Serves: groups that an unload brought to zero. Empty but for these.';
comment on index shop.product_rollup_base_pkey is 'Serves: products of a period, and the folder that looks for a group. Paid by the folder, not by loads.';
comment on index shop.product_rollup_base_zero is 'Serves: groups that an unload brought to zero. Empty but for these.';
comment on index shop.product_rollup_base_sold is 'Serves: what sells in a period. Holds the groups with a purchase, some 2 % of all.';
comment on index shop.products_pkey is 'Serves: what is this product called? Written when a product is new or its description changes.';
comment on index ingest.horizon_pkey is 'Serves: the horizon of a feed.';
comment on index ingest.files_pkey is 'Serves: a file by its number.';
comment on index ingest.files_content_key is 'Keeps the same bytes from being loaded twice, also by two claims that race.';
comment on index ingest.files_workflow_key is 'Serves: the file of a workflow, when it is claimed.';
comment on index ingest.files_unfinished is 'Serves: what is unfinished, asked by each listing. Holds only that.';
comment on index ingest.files_by_name is 'Serves: the older version under the same name, and files by name.';
comment on index ingest.files_recently_archived is 'Serves: files archived lately, which may have grown since.';
comment on index ingest.files_duplicates is 'Serves: copies of a file, when it is given up.';
comment on index ingest.chunks_pkey is 'Serves: the chunks of a file.';
comment on index ingest.duplicates_pkey is 'Serves: the duplicates of a file and line.';
comment on index ingest.duplicates_by_event is 'Serves: who else has this event, when its file is unloaded.';
comment on index ingest.rejects_pkey is 'Serves: a reject by its number.';
comment on index ingest.rejects_by_line is 'Keeps a line from being rejected twice, and serves: the rejects of a file.';
comment on index ingest.verifications_pkey is 'Serves: a run of verify by its number.';
comment on index ingest.migrations_pkey is 'Serves: what was applied.';
