-- As before, in a form that PostgreSQL puts in the place of the call: what extract() says of a time with a zone is not
-- immutable. Each create calls it.
CREATE OR REPLACE FUNCTION session_id_prefix(expires_at timestamptz) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN lpad(to_hex((date_part('epoch', expires_at AT TIME ZONE 'UTC') * 1000)::bigint), 12, '0');
