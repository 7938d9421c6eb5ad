"""Redeems a challenge code. Needs botocore, which boto3 brings; credentials come from where AWS clients look for them."""

import http.client
import json
import sys
import time
import urllib.error
import urllib.request
import uuid

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.session import Session


def redeem(endpoint, app, session, code):
    """The reply as a dictionary; None when the code is wrong, used, expired or locked."""
    url = f"{endpoint}/backend/{app}/challenge/{session}/redeem"
    body = json.dumps({"challengeCode": code}).encode()
    # One key for all tries, so that a repeat gets the reply that was lost.
    headers = {"Content-Type": "application/json", "Idempotency-Key": str(uuid.uuid4())}
    for pause in (0.1, 0.4, 1.6, None):
        request = AWSRequest("POST", url, headers=headers, data=body)
        SigV4Auth(Session().get_credentials(), "amplifybackend", "us-east-1").add_auth(request)
        signed = request.prepare()
        try:
            with urllib.request.urlopen(
                urllib.request.Request(url, signed.body, dict(signed.headers), method="POST"), timeout=5
            ) as reply:
                return json.load(reply)
        except urllib.error.HTTPError as error:
            if error.code == 404:
                return None
            if error.code not in (429, 504) or pause is None:
                raise
            pause = float(error.headers.get("Retry-After", pause))
        except (OSError, http.client.HTTPException):
            if pause is None:
                raise
        time.sleep(pause)


if __name__ == "__main__":
    redeemed = redeem(*sys.argv[1:])
    print(json.dumps(redeemed) if redeemed else "refused")
