package dev.countersign.support;

import io.quarkus.test.common.QuarkusTestResourceLifecycleManager;
import java.util.HashMap;
import java.util.Map;

/** Who the service under test knows: an issuer of tokens, and principals with little or much to say. */
public class CallersResource implements QuarkusTestResourceLifecycleManager {

    private TokenIssuer issuer;

    @Override
    public Map<String, String> start() {
        issuer = TokenIssuer.start();
        System.setProperty(TokenIssuer.URL, issuer.url());
        System.setProperty(Callers.TOKEN, TokenIssuer.token(Callers.TESTER));
        Map<String, String> settings = new HashMap<>();
        settings.put("quarkus.oidc.auth-server-url", issuer.url());
        settings.put("quarkus.oidc.token.audience", TokenIssuer.AUDIENCE);
        // With a name for itself, Quarkus could ask the issuer about tokens.
        settings.put("quarkus.oidc.client-id", TokenIssuer.AUDIENCE);
        // The tests rotate its keys, and don't wait ten minutes for the service to ask again.
        settings.put("quarkus.oidc.token.forced-jwk-refresh-interval", "PT1S");
        principal(settings, Callers.TESTER, "*", "issue,delegate,read,remove,redeem,admin");
        principal(settings, "issuer", "demo", "issue");
        principal(settings, "delegate", "demo", "issue,delegate");
        principal(settings, "reader", "demo", "read");
        principal(settings, "remover", "demo", "remove");
        principal(settings, "redeemer", "demo", "redeem");
        principal(settings, "admin", "demo", "admin");
        principal(settings, "prefixed", "dem*", "issue,delegate,read,remove,redeem,admin");
        principal(settings, "foreigner", "other", "issue,delegate,read,remove,redeem,admin");
        settings.putAll(AwsCredentials.settings());
        return settings;
    }

    private static void principal(Map<String, String> settings, String name, String apps, String permissions) {
        String prefix = "countersign.principals." + name;
        settings.put(prefix + ".subject", name);
        settings.put(prefix + ".apps", apps);
        settings.put(prefix + ".permissions", permissions);
    }

    @Override
    public void stop() {
        issuer.close();
    }
}
