-- Unless a search path names the temporary schema, it is searched first: a caller's temporary table would stand for one of
-- ours in the functions that run with their owner's rights, and what it says would be dropped.
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
