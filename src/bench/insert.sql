INSERT INTO challenge_session (app_id, app_generation, session_id, key_id, salt, issued_to, created_at, expires_at)
SELECT app.app_id, app.generation,
       (session_id_prefix(life.expires_at) || '8' || substr(encode(uuid_send(gen_random_uuid()), 'hex'), 14))::uuid,
       'main', uuid_send(gen_random_uuid()), 'bench', life.created_at, life.expires_at
  FROM app
 CROSS JOIN LATERAL (
       SELECT now_ms AS created_at, now_ms + make_interval(secs => coalesce(app.ttl_seconds, 300)) AS expires_at
         FROM date_trunc('milliseconds', statement_timestamp()) AS now_ms) AS life
 WHERE app.app_id = 'demo'
RETURNING session_id, created_at, expires_at;
