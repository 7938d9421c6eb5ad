CREATE TABLE app (
    app_id                  text        PRIMARY KEY CHECK (app_id ~ '^[a-z0-9]{1,64}$'),
    display_name            text,
    ttl_seconds             integer     CHECK (ttl_seconds BETWEEN 1 AND 3600),
    create_token_per_minute integer     CHECK (create_token_per_minute > 0),
    created_at              timestamptz NOT NULL DEFAULT now(),
    -- Another each time an app is registered: the tokens of a deleted app stay dead when its ID is used again.
    generation              bigint      NOT NULL GENERATED ALWAYS AS IDENTITY
);

-- A session ID begins with its expiry time (RFC 9562, UUID version 8), so a range of session IDs is a range of expiry
-- times, and what has expired together is dropped together.
--
-- There is no foreign key to app: the insert joins it, which costs no round trip and lets the table be distributed.
CREATE TABLE challenge_session (
    app_id         text        NOT NULL,
    app_generation bigint      NOT NULL,
    session_id     uuid        NOT NULL,
    key_id         text        NOT NULL,
    salt           bytea       CHECK (length(salt) = 16),
    state          text        NOT NULL DEFAULT 'issued' CHECK (state IN ('issued', 'redeemed', 'locked')),
    attempts       integer     NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    issued_to      text        NOT NULL,
    created_at     timestamptz NOT NULL,
    expires_at     timestamptz NOT NULL,
    settled_at     timestamptz,
    PRIMARY KEY (app_id, session_id),
    CHECK (expires_at > created_at),
    -- Only a live token has the salt from which its code can be derived.
    CHECK ((state = 'issued') = (salt IS NOT NULL)),
    CHECK ((state = 'issued') = (settled_at IS NULL))
) PARTITION BY RANGE (session_id);

-- Catches what has no partition, so that a purge that hasn't run refuses nobody.
CREATE TABLE challenge_session_default PARTITION OF challenge_session DEFAULT;
