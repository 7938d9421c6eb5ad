-- Spring Security's own script for it, but for a type that PostgreSQL doesn't have.
CREATE TABLE IF NOT EXISTS one_time_tokens (
    token_value varchar(36) NOT NULL PRIMARY KEY,
    username    varchar(50) NOT NULL,
    expires_at  timestamp   NOT NULL
);

-- Bucket4j's.
CREATE TABLE IF NOT EXISTS bucket (
    id         varchar(255) PRIMARY KEY,
    state      bytea,
    expires_at bigint
);
