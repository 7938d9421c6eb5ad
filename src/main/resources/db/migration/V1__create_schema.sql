-- Names come in every script; in another encoding the first that doesn't fit would fail, and then always.
DO $$
BEGIN
    IF current_setting('server_encoding') <> 'UTF8' THEN
        RAISE EXCEPTION 'The database % is encoded in %, and Countersign needs UTF8. Make another one: CREATE DATABASE countersign ENCODING ''UTF8'' TEMPLATE template0',
            current_database(), current_setting('server_encoding') USING ERRCODE = 'feature_not_supported';
    END IF;
END
$$;

-- --- Apps

CREATE TABLE app (
    app_id                  text        PRIMARY KEY CHECK (app_id ~ '^[a-z0-9]{1,64}$'),
    display_name            text,
    ttl_seconds             integer     CHECK (ttl_seconds BETWEEN 1 AND 3600),
    create_token_per_minute integer     CHECK (create_token_per_minute BETWEEN 1 AND 60000000),
    created_at              timestamptz NOT NULL DEFAULT now(),
    -- Another each time an app is registered: the tokens of a deleted app stay dead when its ID is used again.
    generation              bigint      NOT NULL GENERATED ALWAYS AS IDENTITY
);

-- Pages of apps come in the order of their bytes, whatever the database's own order is.
CREATE INDEX app_in_byte_order ON app (app_id COLLATE "C");

-- Each replica reads all rates again and again: here are these and nothing else.
CREATE INDEX app_rate ON app (app_id) INCLUDE (create_token_per_minute) WHERE create_token_per_minute IS NOT NULL;

-- --- Keys

-- What shows that two replicas have the same bytes for a key ID: an HMAC under the key, which tells nothing of it. The
-- first replica that has the key inserts it, and no replica changes it.
CREATE TABLE key_check (
    key_id      text  PRIMARY KEY,
    check_value bytea NOT NULL CHECK (length(check_value) = 32)
);

-- --- Sessions

-- A session ID begins with its expiry time (RFC 9562, UUID version 8), so a range of session IDs is a range of expiry
-- times, and what has expired together is dropped together.
--
-- There is no foreign key to app: the insert joins it, which costs no round trip and lets the table be distributed.
CREATE TABLE challenge_session (
    app_id             text        NOT NULL,
    app_generation     bigint      NOT NULL,
    session_id         uuid        NOT NULL,
    key_id             text        NOT NULL,
    salt               bytea       CHECK (length(salt) = 16),
    state              text        NOT NULL DEFAULT 'issued' CHECK (state IN ('issued', 'redeemed', 'locked')),
    attempts           integer     NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    issued_to          text        NOT NULL,
    created_at         timestamptz NOT NULL,
    expires_at         timestamptz NOT NULL,
    settled_at         timestamptz,
    redeemed_by        text,
    -- An HMAC by which a caller that repeats a redeem is known. Neither the idempotency key nor the code is stored.
    redeem_fingerprint bytea,
    subject            text,
    subject_issuer     text,
    -- JSON as text: the code covers each of its bytes.
    context            text,
    code_challenge     text,
    PRIMARY KEY (app_id, session_id),
    CHECK (expires_at > created_at),
    -- Only a live token has the salt from which its code can be derived.
    CHECK ((state = 'issued') = (salt IS NOT NULL)),
    CHECK ((state = 'issued') = (settled_at IS NULL)),
    CHECK ((state = 'redeemed') = (redeemed_by IS NOT NULL)),
    CHECK (redeem_fingerprint IS NULL OR state = 'redeemed')
) PARTITION BY RANGE (session_id);

-- Catches what has no partition, so that a purge that hasn't run refuses nobody.
CREATE TABLE challenge_session_default PARTITION OF challenge_session DEFAULT;

-- The purge deletes here what has expired. The other partitions are dropped whole and need no such index.
CREATE INDEX ON challenge_session_default (expires_at);

-- The first 12 hexadecimal digits of a session ID: its expiry time in Unix milliseconds. In this form PostgreSQL puts the
-- expression in the place of the call: extract() of a time with a zone is not immutable. Each create calls it.
CREATE FUNCTION session_id_prefix(expires_at timestamptz) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN lpad(to_hex((date_part('epoch', expires_at AT TIME ZONE 'UTC') * 1000)::bigint), 12, '0');

-- The least session ID that expires at the given time or later: a bound of a partition.
CREATE FUNCTION session_id_floor(expires_at timestamptz) RETURNS uuid
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN rpad(session_id_prefix(expires_at), 32, '0')::uuid;

-- --- Partitions

-- Partitions hold five minutes of expiry each. A partition's name ends with the epoch second at which its slot begins.
CREATE VIEW challenge_session_partition AS
    SELECT c.relname::text AS name,
           to_timestamp(substr(c.relname, 20)::bigint) AS starts_at,
           to_timestamp(substr(c.relname, 20)::bigint + 300) AS ends_at
      FROM pg_inherits i
      JOIN pg_class c ON c.oid = i.inhrelid
     WHERE i.inhparent = 'challenge_session'::regclass
       AND c.relname ~ '^challenge_session_p[0-9]+$';

-- Attaching reads the default partition under a lock that stops everybody, so it must hold few rows.
CREATE FUNCTION default_partition_is_small() RETURNS boolean
    LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT NOT EXISTS (SELECT FROM challenge_session_default OFFSET 10000 LIMIT 1);
END;

-- The slots that can be attached now: for the longest TTL, an hour, and the half hour that a purge which fails for a while
-- may miss. A slot of which the default partition holds rows has to wait until they have expired. While that partition is
-- large, only slots that no create reaches yet are attached.
CREATE FUNCTION missing_session_slots() RETURNS SETOF timestamptz
    LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT slot
      FROM generate_series(date_bin('5 minutes', now(), timestamptz 'epoch'), now() + interval '90 minutes',
                           interval '5 minutes') AS slot
     WHERE NOT EXISTS (SELECT FROM challenge_session_partition p WHERE p.starts_at = slot)
       AND NOT EXISTS (SELECT FROM challenge_session_default d
                        WHERE d.expires_at >= slot AND d.expires_at < slot + interval '5 minutes')
       AND (slot > now() + interval '1 hour' OR default_partition_is_small())
     ORDER BY slot;
END;

-- The functions below run with their owner's rights, so that the service's own role needs none to the schema. They check
-- what they are asked.

-- Does the next step towards a slot's partition, and tells which it was. Each is a transaction of the caller's with a short
-- lock:
--   guarded   the default partition takes no more rows of the slot, which no create reaches yet
--   validated it has none, as a look through all of it has shown, beside which everybody goes on
--   attached  the partition is there; the proof spares it the look under a lock, and is dropped
--   present   nothing was left to do
-- A slot that creates reach already is attached at once, for a guard would refuse them.
CREATE FUNCTION attach_session_partition(slot timestamptz) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT
AS $$
DECLARE
    partition text;
    guard     text;
    first_id  uuid;
    end_id    uuid;
    validated boolean;
BEGIN
    IF slot IS NULL OR slot <> date_bin('5 minutes', slot, timestamptz 'epoch')
       OR slot NOT BETWEEN now() - interval '10 minutes' AND now() + interval '90 minutes' THEN
        RAISE EXCEPTION 'no partition is due at %', slot USING ERRCODE = 'invalid_parameter_value';
    END IF;
    partition := 'challenge_session_p' || extract(epoch FROM slot)::bigint;
    guard := 'guard_' || extract(epoch FROM slot)::bigint;
    first_id := session_id_floor(slot);
    end_id := session_id_floor(slot + interval '5 minutes');
    IF EXISTS (SELECT FROM challenge_session_partition p WHERE p.name = partition) THEN
        RETURN 'present';
    END IF;
    SELECT convalidated INTO validated
      FROM pg_constraint WHERE conrelid = 'challenge_session_default'::regclass AND conname = guard;
    IF validated IS NULL AND slot > now() + interval '1 hour' THEN
        EXECUTE format('ALTER TABLE challenge_session_default ADD CONSTRAINT %I'
            ' CHECK (session_id < %L::uuid OR session_id >= %L::uuid) NOT VALID', guard, first_id, end_id);
        RETURN 'guarded';
    ELSIF NOT validated THEN
        BEGIN
            EXECUTE format('ALTER TABLE challenge_session_default VALIDATE CONSTRAINT %I', guard);
            RETURN 'validated';
        EXCEPTION WHEN check_violation THEN
            -- A guard that stayed would refuse creates once they reach the slot.
            EXECUTE format('ALTER TABLE challenge_session_default DROP CONSTRAINT %I', guard);
            RETURN 'present';
        END;
    ELSIF validated IS NULL AND NOT default_partition_is_small() THEN
        RAISE EXCEPTION 'the default partition holds too many rows to attach a partition that creates already reach'
            USING ERRCODE = 'object_not_in_prerequisite_state';
    END IF;
    -- The table is made ready first and then attached: creating it as a partition would lock the parent for longer.
    EXECUTE format('CREATE TABLE %I (LIKE challenge_session INCLUDING ALL)', partition);
    EXECUTE format(
        'ALTER TABLE challenge_session ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', partition, first_id, end_id);
    EXECUTE format('ALTER TABLE challenge_session_default DROP CONSTRAINT IF EXISTS %I', guard);
    RETURN 'attached';
END
$$;

-- Refuses a partition that may hold a live row, whoever asks. False when there is nothing to do.
CREATE FUNCTION drop_session_partition(partition text) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT
AS $$
DECLARE
    expired boolean;
BEGIN
    SELECT p.ends_at <= clock_timestamp() INTO expired FROM challenge_session_partition p WHERE p.name = partition;
    IF expired IS NULL THEN
        RETURN false;
    ELSIF NOT expired THEN
        RAISE EXCEPTION 'partition % has not expired', partition USING ERRCODE = 'object_not_in_prerequisite_state';
    END IF;
    EXECUTE format('DROP TABLE %I', partition);
    RETURN true;
END
$$;

REVOKE ALL ON FUNCTION attach_session_partition(timestamptz), drop_session_partition(text) FROM PUBLIC;

-- How many sessions of a partition need their key, by key: those that can be redeemed, and those whose redeem its caller
-- can repeat. It reads the partition by its own name, for which the service's role
-- has no right: a count through the parent would hold the lock that a drop of any partition waits for, and takes seconds
-- when there are many. It tells nothing but numbers, so everybody may ask.
CREATE FUNCTION live_sessions(partition text) RETURNS TABLE (key_id text, sessions bigint)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path FROM CURRENT SET enable_seqscan = on
AS $$
BEGIN
    IF partition = 'challenge_session_default'
       OR EXISTS (SELECT FROM challenge_session_partition p WHERE p.name = partition) THEN
        RETURN QUERY EXECUTE format(
            'SELECT key_id, count(*) FROM %I WHERE expires_at > now()'
            ' AND (state = ''issued'' OR redeem_fingerprint IS NOT NULL) GROUP BY key_id', partition);
    END IF;
END
$$;

-- Unless a search path names the temporary schema, it is searched first: a caller's temporary table would stand for one of
-- ours in these functions, and what it says would be dropped.
DO $$
DECLARE
    guarded regprocedure;
BEGIN
    FOREACH guarded IN ARRAY ARRAY[
        'attach_session_partition(timestamptz)', 'drop_session_partition(text)', 'live_sessions(text)']::regprocedure[]
    LOOP
        EXECUTE format('ALTER FUNCTION %s SET search_path = %I, pg_temp', guarded, current_schema());
    END LOOP;
END
$$;

-- --- Limits

-- A bucket of tokens for each limit, for all replicas together, as a limit's statement reads and writes it by this server's
-- clock. A bucket without a row is full.
--
-- An ordinary table, though a crash that emptied it would do little harm: an unlogged one would be missing from backups
-- and standbys, for the sake of the few writes a second that asking in bulk leaves.
CREATE TABLE limit_bucket (
    id        text             PRIMARY KEY,
    -- Tokens that it held at that time, in parts of one too.
    available double precision NOT NULL,
    -- What the last statement took, for that statement to return.
    granted   integer          NOT NULL,
    filled_at timestamptz      NOT NULL
);
