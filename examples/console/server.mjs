// A console that makes sign-in links, and the app that they sign in to. `node examples/console/server.mjs`
import { randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { createToken, redeem } from "./countersign.mjs";

const port = Number(process.env.PORT ?? 3000);
// Your console knows who has signed in to it.
const operator = process.env.OPERATOR ?? "operator@example.com";
const sessions = new Map();

const routes = {
    "GET /": (request) => page("The demo app", signedIn(request)
        ? `<p>You are signed in as <b>${escape(signedIn(request))}</b>.</p>`
        : `<p>You are not signed in. <a href="/console">Go to the console.</a></p>`),

    "GET /console": () => page("The console", `
        <p>You are ${escape(operator)}.</p>
        <form method="post"><button>Create a sign-in link</button></form>`),

    "POST /console": async () => {
        const token = await createToken(operator);
        // Behind the #, so that no server and no log sees the code.
        const link = `/sign-in#${token.sessionId}.${token.challengeCode}`;
        return page("The console", `<p><a id="link" href="${link}">Sign in to the demo app</a></p>
            <p>The link works once, until ${new Date(token.ttl * 1000).toLocaleTimeString()}.</p>`);
    },

    "GET /sign-in": () => page("Sign in to the demo app", `
        <button id="sign-in" disabled>Sign in</button> <p id="result"></p> <script src="/sign-in.js"></script>`),

    "GET /sign-in.js": async () => ({
        headers: { "Content-Type": "text/javascript" },
        body: await readFile(new URL("sign-in.js", import.meta.url)),
    }),

    "POST /session": async (request) => {
        // A form of another site can't send this type.
        if (request.headers["content-type"] !== "application/json") return { status: 415 };
        const { sessionId, challengeCode } = JSON.parse(await body(request));
        const subject = await redeem(encodeURIComponent(sessionId), challengeCode);
        if (!subject) return { status: 404 };
        const session = randomUUID();
        sessions.set(session, subject);
        return { status: 204, headers: { "Set-Cookie": `session=${session}; HttpOnly; SameSite=Strict; Path=/` } };
    },
};

function signedIn(request) {
    return sessions.get(/(?:^|; )session=([^;]+)/.exec(request.headers.cookie ?? "")?.[1]);
}

async function body(request) {
    let text = "";
    for await (const chunk of request) {
        text += chunk;
        if (text.length > 1000) throw new Error("The body is too large");
    }
    return text;
}

function page(title, content) {
    return {
        headers: {
            "Content-Type": "text/html; charset=utf-8",
            // No script of another host may run where the code is.
            "Content-Security-Policy": "default-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'none'",
        },
        body: `<!doctype html><html lang="en"><title>${title}</title><meta name="viewport" content="width=device-width">
            <style>body { font: 1.1rem sans-serif; margin: 4rem auto; max-width: 30rem } button { font: inherit; padding: .5rem 1rem }</style>
            <h1>${title}</h1>${content}</html>`,
    };
}

function escape(text) {
    return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

createServer(async (request, response) => {
    let reply = { status: 404 };
    try {
        reply = (await routes[`${request.method} ${new URL(request.url, "http://localhost").pathname}`]?.(request)) ?? reply;
    } catch (failure) {
        console.error(failure.message);
        reply = { status: 502 };
    }
    response.writeHead(reply.status ?? 200, { "Cache-Control": "no-store", ...reply.headers }).end(reply.body);
}).listen(port, "localhost", function () {
    console.log(`Open http://localhost:${this.address().port}/console`);
});
