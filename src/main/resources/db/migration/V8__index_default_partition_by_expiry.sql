-- The purge looks for what has expired here, and its last look finds nothing: without an index it would read all that a
-- long time without partitions has left. The other partitions are dropped whole, and need none.
CREATE INDEX ON challenge_session_default (expires_at);
