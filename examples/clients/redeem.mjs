// Redeems a challenge code. Needs @smithy/signature-v4; credentials come from the environment.
import { createHash, createHmac, randomUUID } from "node:crypto";
import { SignatureV4 } from "@smithy/signature-v4";

class Sha256 {
    constructor(secret) {
        this.hash = secret ? createHmac("sha256", secret) : createHash("sha256");
    }
    update(data) {
        this.hash.update(data);
    }
    async digest() {
        return new Uint8Array(this.hash.digest());
    }
}

const signer = new SignatureV4({
    service: "amplifybackend",
    region: "us-east-1",
    sha256: Sha256,
    credentials: { accessKeyId: process.env.AWS_ACCESS_KEY_ID, secretAccessKey: process.env.AWS_SECRET_ACCESS_KEY },
});

/** The reply as an object; null when the code is wrong, used, expired or locked. */
export async function redeem(endpoint, app, session, code) {
    const url = new URL(`${endpoint}/backend/${app}/challenge/${session}/redeem`);
    const body = JSON.stringify({ challengeCode: code });
    // One key for all tries, so that a repeat gets the reply that was lost.
    const headers = { host: url.host, "content-type": "application/json", "idempotency-key": randomUUID() };
    for (const pause of [100, 400, 1600, null]) {
        const request = { method: "POST", protocol: url.protocol, hostname: url.hostname, path: url.pathname, headers, body };
        const signed = await signer.sign(request);
        const reply = await fetch(url, { method: "POST", headers: signed.headers, body, signal: AbortSignal.timeout(5000) })
            .catch((failure) => failure);
        if (reply.status === 200) return reply.json();
        if (reply.status === 404) return null;
        const again = reply instanceof Error || reply.status === 429 || reply.status === 504;
        if (!again || pause === null) throw reply instanceof Error ? reply : new Error(`${reply.status} ${await reply.text()}`);
        const seconds = Number(reply.headers?.get("retry-after") ?? 0);
        await new Promise((resolve) => setTimeout(resolve, seconds * 1000 || pause));
    }
}

if (process.argv.length === 6) {
    const redeemed = await redeem(...process.argv.slice(2));
    console.log(redeemed ? JSON.stringify(redeemed) : "refused");
}
