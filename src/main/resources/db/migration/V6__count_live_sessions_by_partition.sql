-- How many live sessions a partition holds, by key. It reads the partition by its own name, for which the service's role
-- has no right, and so with its owner's: a count through the parent would hold the lock that a drop of any partition
-- waits for, and takes seconds when there are many. It tells nothing but numbers, so everybody may ask.
CREATE FUNCTION live_sessions(partition text) RETURNS TABLE (key_id text, sessions bigint)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path FROM CURRENT SET enable_seqscan = on
AS $$
BEGIN
    IF partition = 'challenge_session_default'
       OR EXISTS (SELECT FROM challenge_session_partition p WHERE p.name = partition) THEN
        RETURN QUERY EXECUTE format(
            'SELECT key_id, count(*) FROM %I WHERE state = ''issued'' AND expires_at > now() GROUP BY key_id', partition);
    END IF;
END
$$;
