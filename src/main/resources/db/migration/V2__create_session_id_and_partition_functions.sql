-- The first 12 hexadecimal digits of a session ID: its expiry time in Unix milliseconds.
CREATE FUNCTION session_id_prefix(expires_at timestamptz) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN lpad(to_hex((extract(epoch FROM expires_at) * 1000)::bigint), 12, '0');

-- The least session ID that expires at the given time or later: a bound of a partition.
CREATE FUNCTION session_id_floor(expires_at timestamptz) RETURNS uuid
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN rpad(session_id_prefix(expires_at), 32, '0')::uuid;

-- Partitions hold five minutes of expiry each. A partition's name ends with the epoch second at which its slot begins.
CREATE VIEW challenge_session_partition AS
    SELECT c.relname::text AS name,
           to_timestamp(substr(c.relname, 20)::bigint) AS starts_at,
           to_timestamp(substr(c.relname, 20)::bigint + 300) AS ends_at
      FROM pg_inherits i
      JOIN pg_class c ON c.oid = i.inhrelid
     WHERE i.inhparent = 'challenge_session'::regclass
       AND c.relname ~ '^challenge_session_p[0-9]+$';

-- The slots from now until the given time that have no partition yet.
CREATE FUNCTION missing_session_slots(until timestamptz) RETURNS SETOF timestamptz
    LANGUAGE sql STABLE STRICT
BEGIN ATOMIC
    SELECT slot
      FROM generate_series(
               to_timestamp(floor(extract(epoch FROM now()) / 300) * 300), until, interval '5 minutes') AS slot
     WHERE NOT EXISTS (SELECT FROM challenge_session_partition p WHERE p.starts_at = slot)
     ORDER BY slot;
END;

-- The functions below change the schema with their owner's rights, so that the service's own role needs none.
-- The table is made ready first and then attached: creating it as a partition would lock the parent for longer.
-- False when there is nothing to do, because somebody else did it.
CREATE FUNCTION attach_session_partition(slot timestamptz) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT
AS $$
DECLARE
    partition text := 'challenge_session_p' || extract(epoch FROM slot)::bigint;
BEGIN
    IF EXISTS (SELECT FROM challenge_session_partition p WHERE p.name = partition) THEN
        RETURN false;
    END IF;
    EXECUTE format('CREATE TABLE %I (LIKE challenge_session INCLUDING ALL)', partition);
    EXECUTE format(
        'ALTER TABLE challenge_session ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
        partition, session_id_floor(slot), session_id_floor(slot + interval '5 minutes'));
    RETURN true;
END
$$;

-- Refuses a partition that may hold a live row, whoever asks.
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
