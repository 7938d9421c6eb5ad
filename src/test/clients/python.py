"""The life of a token by boto3, printed as JSON. Endpoint and credentials come from the environment."""

import json
import os

import boto3


def members(reply):
    return {name: value for name, value in reply.items() if name != "ResponseMetadata"}


client = boto3.client("amplifybackend", endpoint_url=os.environ["ENDPOINT"])
created = client.create_token(AppId="demo")
token = {"AppId": "demo", "SessionId": created["SessionId"]}
life = {"created": members(created), "read": members(client.get_token(**token))}
life["removed"] = members(client.delete_token(**token))
try:
    client.get_token(**token)
except client.exceptions.NotFoundException as gone:
    life["gone"] = type(gone).__name__
print(json.dumps(life))
