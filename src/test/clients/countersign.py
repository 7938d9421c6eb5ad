"""All operations by boto3 and the service model, printed as JSON. Endpoint and credentials come from the environment."""

import json
import os

import boto3

client = boto3.client("countersign", endpoint_url=os.environ["ENDPOINT"])
app = {"AppId": "madebyboto3"}
client.put_app(**app, DisplayName="Made by boto3", TtlSeconds=60)
token = {**app, "SessionId": client.create_token(**app, Context={"returnTo": "/builds/17"})["SessionId"]}
code = client.get_token(**token)["ChallengeCode"]
try:
    client.redeem_token(**token, ChallengeCode="wrong")
except client.exceptions.NotFoundException as wrong:
    refused = wrong.response["ResourceType"]
redeem = {**token, "ChallengeCode": code, "IdempotencyKey": "3f0c2f4e-6f0e-4a53-9d1c-0b9a7f2f7c11"}
redeemed, repeated = client.redeem_token(**redeem), client.redeem_token(**redeem)
removed = client.delete_token(**app, SessionId=client.create_token(**app)["SessionId"])
result = {
    "refused": refused,
    "context": redeemed["Context"],
    "lived": (redeemed["ExpiresAt"] - redeemed["IssuedAt"]).total_seconds(),
    "replayed": [redeemed.get("IdempotentReplayed"), repeated.get("IdempotentReplayed")],
    "state": client.get_token_status(**token)["State"],
    "removed": removed["IsSuccess"],
    "listed": [each["DisplayName"] for each in client.list_apps(Limit=100)["Apps"] if each["AppId"] == app["AppId"]],
    "read": client.get_app(**app)["EffectiveTtlSeconds"],
}
client.delete_app(**app)
try:
    client.get_app(**app)
except client.exceptions.NotFoundException as gone:
    result["gone"] = gone.response["ResourceType"]
print(json.dumps(result))
