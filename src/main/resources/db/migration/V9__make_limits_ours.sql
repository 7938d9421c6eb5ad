-- A bucket of tokens as a limit's statement reads and writes it, by this server's clock. A bucket without a row is full.
DELETE FROM limit_bucket;
ALTER TABLE limit_bucket
    DROP COLUMN state,
    DROP COLUMN expires_at,
    -- Tokens that it held at that time, in parts of one too.
    ADD COLUMN available double precision NOT NULL,
    -- What the last statement took, for that statement to return.
    ADD COLUMN granted   integer          NOT NULL,
    ADD COLUMN filled_at timestamptz      NOT NULL;

ALTER TABLE app
    DROP CONSTRAINT app_create_token_per_minute_check,
    ADD CONSTRAINT app_create_token_per_minute_check CHECK (create_token_per_minute BETWEEN 1 AND 60000000);

-- Each replica reads all rates again and again: here are these and nothing else.
CREATE INDEX app_rate ON app (app_id) INCLUDE (create_token_per_minute) WHERE create_token_per_minute IS NOT NULL;
