// The three calls of Countersign that the example makes. In dev mode they need no credentials; elsewhere each role has a
// bearer token of its own.
import { randomUUID } from "node:crypto";

const endpoint = process.env.COUNTERSIGN_ENDPOINT ?? "http://localhost:8080/prod";
const app = process.env.APP ?? "demo";

async function call(token, path, options) {
    const headers = { "Content-Type": "application/json", ...options.headers };
    if (token) headers.Authorization = `Bearer ${token}`;
    return fetch(`${endpoint}/backend/${app}/challenge${path}`, { signal: AbortSignal.timeout(5000), ...options, headers });
}

/** Gives a new token for this user: `sessionId` and `challengeCode`. */
export async function createToken(subject) {
    const reply = await call(process.env.CONSOLE_TOKEN, "", { method: "POST", body: JSON.stringify({ subject }) });
    if (!reply.ok) throw new Error(`CreateToken: ${reply.status} ${await reply.text()}`);
    return reply.json();
}

/** Gives `ISSUED`, `REDEEMED` or `LOCKED`; null when the token has expired. */
export async function status(sessionId) {
    const reply = await call(process.env.CONSOLE_TOKEN, `/${sessionId}/status`, {});
    if (reply.status === 404) return null;
    if (!reply.ok) throw new Error(`GetTokenStatus: ${reply.status} ${await reply.text()}`);
    return (await reply.json()).state;
}

/** Gives whom the code is for; null when it is wrong, used, expired or locked. */
export async function redeem(sessionId, challengeCode) {
    // One key for all tries: if a reply is lost, the repeat gets the same one.
    const options = {
        method: "POST",
        headers: { "Idempotency-Key": randomUUID() },
        body: JSON.stringify({ challengeCode }),
    };
    for (let attempt = 1; ; attempt++) {
        const reply = await call(process.env.BACKEND_TOKEN, `/${sessionId}/redeem`, options).catch((failure) => failure);
        if (reply.status === 200) return (await reply.json()).subject;
        if (reply.status === 404 || reply.status === 400) return null;
        const isTemporary = reply instanceof Error || reply.status === 429 || reply.status === 504;
        if (!isTemporary || attempt === 4) {
            throw reply instanceof Error ? reply : new Error(`RedeemToken: ${reply.status} ${await reply.text()}`);
        }
        await new Promise((resolve) => setTimeout(resolve, 1000 * Number(reply.headers?.get("Retry-After") ?? 1)));
    }
}
