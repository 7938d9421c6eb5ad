// The life of a token by the generated client. The service and a bearer token come from the environment.
import { ChallengeApi, Configuration, RedeemApi, ResponseError } from "./index";

declare const process: { env: Record<string, string> };

async function main(): Promise<void> {
    const configuration = new Configuration({ basePath: process.env.ENDPOINT, accessToken: process.env.TOKEN });
    const redeem = new RedeemApi(configuration);

    const createTokenReqObj = { context: { returnTo: "/builds/17" } };
    const token = await new ChallengeApi(configuration).createToken({ appId: "demo", createTokenReqObj });
    const session = { appId: token.appId, sessionId: token.sessionId };
    const code = { ...session, redeemTokenReqObj: { challengeCode: token.challengeCode } };
    console.log((await redeem.redeemToken(code)).context?.returnTo);
    console.log((await redeem.getTokenStatus(session)).state);
    await redeem.redeemToken(code).catch((again: ResponseError) => console.log(again.response.status));
}

main();
