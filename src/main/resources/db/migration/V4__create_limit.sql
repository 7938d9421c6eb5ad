-- How much of each limit is used up, for all replicas together: a bucket as Bucket4j writes it. The service only reads
-- and writes rows, so its role needs no right to change the schema.
--
-- An ordinary table, though a crash that emptied it would do little harm: an unlogged one would be missing from backups
-- and standbys, for the sake of the few writes a second that asking in bulk leaves.
CREATE TABLE limit_bucket (
    id         text   PRIMARY KEY,
    state      bytea,
    -- In Unix milliseconds: when it is full again, and its row means nothing any more. 0 while it is being made.
    expires_at bigint NOT NULL DEFAULT 0
);
