import countersign.client.ApiClient;
import countersign.client.ApiException;
import countersign.client.ChallengeApi;
import countersign.client.RedeemApi;
import countersign.client.model.CreateTokenReqObj;
import countersign.client.model.CreateTokenRespObj;
import countersign.client.model.RedeemTokenReqObj;
import countersign.client.model.TokenState;
import java.util.Map;

/** The life of a token by the generated client. The service and a bearer token come from the environment. */
class Client {

    public static void main(String[] arguments) throws ApiException {
        ApiClient client = new ApiClient();
        client.updateBaseUri(System.getenv("ENDPOINT"));
        client.setRequestInterceptor(request -> request.header("Authorization", "Bearer " + System.getenv("TOKEN")));
        RedeemApi redeem = new RedeemApi(client);

        CreateTokenReqObj wanted = new CreateTokenReqObj().context(Map.of("returnTo", "/builds/17"));
        CreateTokenRespObj token = new ChallengeApi(client).createToken("demo", wanted);
        RedeemTokenReqObj code = new RedeemTokenReqObj().challengeCode(token.getChallengeCode());
        System.out.println(redeem.redeemToken("demo", token.getSessionId(), code, null).getContext().get("returnTo"));
        System.out.println(redeem.getTokenStatus("demo", token.getSessionId()).getState());
        try {
            redeem.redeemToken("demo", token.getSessionId(), code, null);
        } catch (ApiException again) {
            System.out.println(again.getCode());
        }
        // As a later version's state arrives.
        System.out.println(TokenState.fromValue("SUSPENDED"));
    }
}
