-- Names may be in any script. A database in another encoding would fail at the first name that it can't store.
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
    -- A new number each time an app is registered. The tokens of a deleted app stay dead when its ID is used again.
    generation              bigint      NOT NULL GENERATED ALWAYS AS IDENTITY
);

-- Apps are paged in the byte order of their IDs, whatever the database's own order is.
CREATE INDEX app_in_byte_order ON app (app_id COLLATE "C");

-- Each replica reads all rates again and again. This index holds the rates and nothing else.
CREATE INDEX app_rate ON app (app_id) INCLUDE (create_token_per_minute) WHERE create_token_per_minute IS NOT NULL;

-- --- Keys

-- A check value for each key ID, with which replicas check that they have the same key bytes. It is an HMAC under the
-- key and reveals nothing of it. The first replica with the key inserts it, and no replica changes it.
CREATE TABLE key_check (
    key_id      text  PRIMARY KEY,
    check_value bytea NOT NULL CHECK (length(check_value) = 32)
);

-- --- Sessions

-- A session ID begins with its expiry time (RFC 9562, UUID version 8). So a range of session IDs is a range of expiry
-- times, and sessions that expire together are dropped together.
--
-- There is no foreign key to app: the insert joins app, which costs no round trip and lets the table be distributed.
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
    -- An HMAC that identifies a caller's repeat of a redeem. Neither the idempotency key nor the code is stored.
    redeem_fingerprint bytea,
    subject            text,
    subject_issuer     text,
    -- JSON, stored as text: the code covers each byte of it.
    context            text,
    code_challenge     text,
    PRIMARY KEY (app_id, session_id),
    CHECK (expires_at > created_at),
    -- Only a live token has a salt. Without the salt, its code can't be derived.
    CHECK ((state = 'issued') = (salt IS NOT NULL)),
    CHECK ((state = 'issued') = (settled_at IS NULL)),
    CHECK ((state = 'redeemed') = (redeemed_by IS NOT NULL)),
    CHECK (redeem_fingerprint IS NULL OR state = 'redeemed')
) PARTITION BY RANGE (session_id);

-- Takes rows that have no partition, so that no create is refused when a purge has not run.
CREATE TABLE challenge_session_default PARTITION OF challenge_session DEFAULT;

-- The purge deletes expired rows from this partition. It drops the others whole, so they need no such index.
CREATE INDEX ON challenge_session_default (expires_at);

-- The first 12 hexadecimal digits of a session ID: its expiry time in Unix milliseconds. PostgreSQL inlines this form
-- of the expression; it could not inline extract() of a time with a zone, which is not immutable. Each create calls the
-- function.
CREATE FUNCTION session_id_prefix(expires_at timestamptz) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN lpad(to_hex((date_part('epoch', expires_at AT TIME ZONE 'UTC') * 1000)::bigint), 12, '0');

-- The lowest session ID that expires at the given time or later, for the bounds of a partition.
CREATE FUNCTION session_id_floor(expires_at timestamptz) RETURNS uuid
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN rpad(session_id_prefix(expires_at), 32, '0')::uuid;

-- --- Partitions

-- A partition holds five minutes of expiry times, its slot. Its name ends with the epoch second at which the slot
-- begins.
CREATE VIEW challenge_session_partition AS
    SELECT c.relname::text AS name,
           to_timestamp(substr(c.relname, 20)::bigint) AS starts_at,
           to_timestamp(substr(c.relname, 20)::bigint + 300) AS ends_at
      FROM pg_inherits i
      JOIN pg_class c ON c.oid = i.inhrelid
     WHERE i.inhparent = 'challenge_session'::regclass
       AND c.relname ~ '^challenge_session_p[0-9]+$';

-- Attaching reads the default partition under an exclusive lock, so it must hold few rows.
CREATE FUNCTION default_partition_is_small() RETURNS boolean
    LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT NOT EXISTS (SELECT 1 FROM challenge_session_default OFFSET 10000 LIMIT 1);
END;

-- The slots that can be attached now. They cover the longest TTL, an hour, and half an hour in which purges may fail. A
-- slot with rows in the default partition has to wait until these have expired. While the default partition is large,
-- only slots that no create reaches yet are attached.
--
-- A guard is a constraint that keeps a slot's rows out of the default partition (attach_session_partition, below). A
-- slot with a guard is always listed, because the guard must not stay.
--
-- Citus can't look up the rows of all slots in one query. In a compound expression it would run every subquery. So each
-- condition is a statement of its own.
CREATE FUNCTION missing_session_slots() RETURNS SETOF timestamptz
    LANGUAGE plpgsql STABLE SET search_path FROM CURRENT
AS $$
DECLARE
    slot     timestamptz;
    is_small boolean;
BEGIN
    FOR slot IN
        SELECT generate_series(date_bin('5 minutes', now(), timestamptz 'epoch'), now() + interval '90 minutes',
                               interval '5 minutes')
    LOOP
        CONTINUE WHEN EXISTS (SELECT FROM challenge_session_partition p WHERE p.starts_at = slot);
        IF NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = 'challenge_session_default'::regclass
                                                   AND conname = 'guard_' || extract(epoch FROM slot)::bigint) THEN
            IF slot <= now() + interval '1 hour' THEN
                IF is_small IS NULL THEN
                    is_small := default_partition_is_small();
                END IF;
                CONTINUE WHEN NOT is_small;
            END IF;
            CONTINUE WHEN EXISTS (SELECT 1 FROM challenge_session_default d
                                   WHERE d.expires_at >= slot AND d.expires_at < slot + interval '5 minutes');
        END IF;
        RETURN NEXT slot;
    END LOOP;
END
$$;

-- The functions below run with their owner's rights, so that the service's own role needs no rights to the schema. They
-- check their arguments.

-- Takes the next step towards a slot's partition, and returns which step it was. Each step is a transaction of the
-- caller with a short lock:
--   guarded    the default partition takes no more rows of the slot; no create reaches the slot yet
--   validated  the default partition has no row of the slot; the validation reads it all without blocking anybody
--   attached   the partition is attached; the validated guard, now dropped, made it unnecessary to read under a lock
--   present    the partition was there already
--   postponed  the guard could not be validated and was dropped; a later purge tries again
-- A slot that creates already reach is attached at once, because a guard would refuse those creates.
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
            -- Creates may reach the slot before the validation of a large partition ends.
            IF slot > now() + interval '1 hour' OR default_partition_is_small() THEN
                EXECUTE format('ALTER TABLE challenge_session_default VALIDATE CONSTRAINT %I', guard);
                RETURN 'validated';
            END IF;
        EXCEPTION WHEN check_violation THEN
        END;
        -- If the guard stayed, it would refuse creates once they reach the slot.
        EXECUTE format('ALTER TABLE challenge_session_default DROP CONSTRAINT %I', guard);
        RETURN 'postponed';
    ELSIF validated IS NULL AND NOT default_partition_is_small() THEN
        RAISE EXCEPTION 'the default partition holds too many rows to attach a partition that creates already reach'
            USING ERRCODE = 'object_not_in_prerequisite_state';
    END IF;
    -- The table is created first and then attached: creating it as a partition would lock the parent for longer.
    EXECUTE format('CREATE TABLE %I (LIKE challenge_session INCLUDING ALL)', partition);
    EXECUTE format(
        'ALTER TABLE challenge_session ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', partition, first_id, end_id);
    EXECUTE format('ALTER TABLE challenge_session_default DROP CONSTRAINT IF EXISTS %I', guard);
    RETURN 'attached';
END
$$;

-- Drops a partition. Whoever calls it, it refuses a partition that may hold a live row. Returns false when the
-- partition doesn't exist.
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

-- How many sessions of a partition need their key, by key: those that can be redeemed, and those whose redeem can be
-- repeated by its caller. The function reads the partition by its own name, for which the service's role has no right.
-- A count through the parent would take seconds when there are many sessions, and hold the lock for which a drop of any
-- partition waits. The function reveals only key IDs and numbers, so everybody may call it.
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

-- A search path that doesn't name the temporary schema searches it first. A caller's temporary table could then replace
-- one of ours in these functions, and make them drop any table that it names.
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

-- One token bucket for each limit of an app or a principal, shared by all replicas. A statement reads and writes it by
-- this server's clock. A bucket without a row is full.
--
-- This is an ordinary table, although a crash that emptied it would do little harm. An unlogged table would be missing
-- from backups and standbys, and would save only the few writes a second that remain because replicas take tokens in
-- bulk.
CREATE TABLE limit_bucket (
    id        text             PRIMARY KEY,
    -- The tokens at filled_at, including fractions.
    available double precision NOT NULL,
    -- The tokens that the last statement took; the statement returns them.
    granted   integer          NOT NULL,
    filled_at timestamptz      NOT NULL
);
