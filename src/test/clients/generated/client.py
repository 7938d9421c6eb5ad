"""The life of a token by the generated client. The service and a bearer token come from the environment."""

import os

import countersign_client as countersign

configuration = countersign.Configuration(host=os.environ["ENDPOINT"], access_token=os.environ["TOKEN"])
with countersign.ApiClient(configuration) as client:
    redeem = countersign.RedeemApi(client)
    wanted = countersign.CreateTokenReqObj(context={"returnTo": "/builds/17"})
    token = countersign.ChallengeApi(client).create_token("demo", create_token_req_obj=wanted)
    code = countersign.RedeemTokenReqObj(challengeCode=token.challenge_code)
    print(redeem.redeem_token("demo", token.session_id, redeem_token_req_obj=code).context["returnTo"])
    print(redeem.get_token_status("demo", token.session_id).state.value)
    try:
        redeem.redeem_token("demo", token.session_id, redeem_token_req_obj=code)
    except countersign.ApiException as again:
        print(again.status)
