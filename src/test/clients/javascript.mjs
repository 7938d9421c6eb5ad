// The life of a token by the AWS SDK for JavaScript, printed as JSON. Endpoint and credentials come from the environment.

import {
  AmplifyBackendClient,
  CreateTokenCommand,
  DeleteTokenCommand,
  GetTokenCommand,
  NotFoundException,
} from "@aws-sdk/client-amplifybackend";

const client = new AmplifyBackendClient({ endpoint: process.env.ENDPOINT });

async function send(command) {
  const { $metadata, ...members } = await client.send(command);
  return members;
}

const created = await send(new CreateTokenCommand({ AppId: "demo" }));
const token = { AppId: "demo", SessionId: created.SessionId };
const life = { created, read: await send(new GetTokenCommand(token)), removed: await send(new DeleteTokenCommand(token)) };
try {
  await send(new GetTokenCommand(token));
} catch (error) {
  if (!(error instanceof NotFoundException)) {
    throw error;
  }
  life.gone = error.constructor.name;
}
console.log(JSON.stringify(life));
