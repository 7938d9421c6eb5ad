// Signs in from a terminal: creates a link, opens it in a browser, and waits until the code is redeemed.
// node examples/console/cli.mjs [--print], beside examples/console/server.mjs
import { spawn } from "node:child_process";
import { createToken, status } from "./countersign.mjs";

const site = process.env.SITE ?? "http://localhost:3000";
const token = await createToken(process.env.OPERATOR ?? "operator@example.com");
const link = `${site}/sign-in#${token.sessionId}.${token.challengeCode}`;
console.log(`Open ${link}`);
if (!process.argv.includes("--print")) {
    const opener = { darwin: "open", win32: "explorer" }[process.platform] ?? "xdg-open";
    spawn(opener, [link], { stdio: "ignore", detached: true }).on("error", () => {}).unref();
}

let state;
do {
    await new Promise((resolve) => setTimeout(resolve, 1000));
    state = await status(token.sessionId);
} while (state === "ISSUED");
console.log(state ?? "EXPIRED");
process.exitCode = state === "REDEEMED" ? 0 : 1;
