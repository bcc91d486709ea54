-- A small file's transaction may begin before its workflow runs, and any is committed later than it began.

comment on column shop.events.processed_at is 'When the transaction began that committed the row. When the row could be seen is committed_at of its chunk.';
