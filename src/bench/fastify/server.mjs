// One-time codes as one would write them with Fastify and pg: the same rows as the service's, one INSERT a request.
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import Fastify from 'fastify';
import pg from 'pg';

const key = randomBytes(32);
const pool = new pg.Pool({ max: Number(process.env.POOL_SIZE) });
const app = Fastify();

const create = `
  INSERT INTO challenge_session (app_id, app_generation, session_id, key_id, salt, issued_to, created_at, expires_at)
  SELECT app.app_id, app.generation, (session_id_prefix(life.expires_at) || $2)::uuid, 'peer', $3, '', life.created_at, life.expires_at
    FROM app
   CROSS JOIN LATERAL (
         SELECT now_ms AS created_at, now_ms + make_interval(secs => coalesce(app.ttl_seconds, 300)) AS expires_at
           FROM date_trunc('milliseconds', statement_timestamp()) AS now_ms) AS life
   WHERE app.app_id = $1
  RETURNING session_id, expires_at`;

const find = `
  SELECT salt FROM challenge_session
   WHERE app_id = $1 AND session_id = $2 AND state = 'issued' AND expires_at > clock_timestamp()`;

const redeem = `
  UPDATE challenge_session
     SET state = 'redeemed', salt = NULL, settled_at = clock_timestamp(), redeemed_by = ''
   WHERE app_id = $1 AND session_id = $2 AND state = 'issued' AND expires_at > clock_timestamp()
  RETURNING created_at, settled_at`;

const codeOf = (appId, sessionId, salt) =>
  createHmac('sha256', key).update(appId).update(sessionId).update(salt).digest();

app.post('/apps/:appId/codes', async (request, reply) => {
  const { appId } = request.params;
  const salt = randomBytes(16);
  const { rows } = await pool.query({
    name: 'create', text: create, values: [appId, '8' + randomBytes(10).toString('hex').slice(1), salt],
  });
  if (rows.length === 0) {
    return reply.code(404).send({ message: 'No such app' });
  }
  const { session_id: sessionId, expires_at: expiresAt } = rows[0];
  return { appId, sessionId, expiresAt, code: codeOf(appId, sessionId, salt).toString('base64url') };
});

app.post('/apps/:appId/codes/:sessionId/redeem', async (request, reply) => {
  const { appId, sessionId } = request.params;
  const found = await pool.query({ name: 'find', text: find, values: [appId, sessionId] });
  const presented = Buffer.from(String(request.body.code), 'base64url');
  if (found.rows.length === 1) {
    const code = codeOf(appId, sessionId, found.rows[0].salt);
    if (presented.length === code.length && timingSafeEqual(presented, code)) {
      const { rows } = await pool.query({ name: 'redeem', text: redeem, values: [appId, sessionId] });
      if (rows.length === 1) {
        return { appId, sessionId, issuedAt: rows[0].created_at, redeemedAt: rows[0].settled_at };
      }
    }
  }
  return reply.code(404).send({ message: 'No such code' });
});

await app.listen({ host: '127.0.0.1', port: Number(process.env.PORT) });
