package dev.countersign.access;

import io.quarkus.runtime.Startup;
import jakarta.enterprise.inject.Instance;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * The configured principals, by access key and by bearer token. They are checked at start: with missing or wrong
 * principals, the service does not start. Immutable.
 */
@Startup
@Singleton
public class Principals {

    /** The principal of unauthenticated callers in dev and test. */
    private static final String DEVELOPER = "developer";

    /** The secret access key of dev mode, in application.properties. */
    private static final String DEVELOPMENT_SECRET = "only-for-development-and-known-to-everybody";

    private static final int MIN_SECRET_LENGTH = 32;
    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9._-]{1,64}");
    private static final Pattern ACCESS_KEY_ID = Pattern.compile("\\w{16,128}");
    private static final Pattern APPS = Pattern.compile("[a-z0-9]{1,64}|[a-z0-9]{0,64}\\*");

    private final Map<String, AccessKey> byAccessKeyId = new HashMap<>();
    private final List<JwtPrincipal> byToken;
    private final Optional<Principal> anonymous;

    @Inject
    Principals(
            PrincipalsConfig principals,
            AccessConfig access,
            Instance<DevelopmentBuild> development,
            TokenIssuers issuers) {
        this(principals, access, development.isUnsatisfied(), issuers);
    }

    Principals(PrincipalsConfig config, AccessConfig access, boolean production, TokenIssuers issuers) {
        List<String> mistakes = new ArrayList<>(issuers.mistakes());
        Map<String, Principal> byName = new HashMap<>();
        config.byName().forEach((name, principal) -> byName.put(name, add(name, principal, mistakes)));
        byToken = config.byName().entrySet().stream()
                .filter(entry -> hasToken(entry.getValue()))
                .map(entry -> JwtPrincipal.of(
                        Objects.requireNonNull(byName.get(entry.getKey())), entry.getValue(), issuers, mistakes))
                .toList();
        addOverlaps(mistakes);
        anonymous = access.anonymousPrincipal().map(byName::get);
        if (production) {
            refuseDevelopment(config, access, mistakes);
            if (!byToken.isEmpty() && issuers.isEmpty()) {
                mistakes.add("a principal has a subject, and there is no issuer of tokens:"
                        + " set quarkus.oidc.auth-server-url");
            }
        } else if (anonymous.isEmpty() && access.anonymousPrincipal().isPresent()) {
            mistakes.add("countersign.access.anonymous-principal names no principal");
        }
        refuse(mistakes);
    }

    /** Adds the principals whose every token would match another principal too. */
    private void addOverlaps(List<String> mistakes) {
        for (JwtPrincipal never : byToken) {
            byToken.stream()
                    .filter(broader -> !broader.equals(never) && broader.covers(never))
                    .forEach(broader -> mistakes.add("countersign.principals."
                            + never.principal().name() + ": every token that matches this principal also matches "
                            + broader.principal().name() + ", and would be refused; change subject, claim or issuer of"
                            + " one"));
        }
    }

    private static boolean hasToken(PrincipalsConfig.PrincipalConfig config) {
        return Stream.of(config.subject(), config.issuer(), config.claim(), config.subjectClaim())
                .anyMatch(Optional::isPresent);
    }

    private static void refuse(List<String> mistakes) {
        if (!mistakes.isEmpty()) {
            throw new IllegalStateException("The principals are not configured rightly:\n  "
                    + String.join("\n  ", mistakes.stream().sorted().toList()));
        }
    }

    /** The access key with this ID. */
    Optional<AccessKey> accessKey(String id) {
        return Optional.ofNullable(byAccessKeyId.get(id));
    }

    /** The principals that the token matches. More than one is a mistake in the settings. */
    List<JwtPrincipal> ofToken(TokenClaims token) {
        return byToken.stream().filter(principal -> principal.matches(token)).toList();
    }

    /** The principal of callers without credentials; always empty in production. */
    Optional<Principal> anonymous() {
        return anonymous;
    }

    private Principal add(String name, PrincipalsConfig.PrincipalConfig config, List<String> mistakes) {
        String prefix = "countersign.principals." + name + ": ";
        if (!NAME.matcher(name).matches()) {
            mistakes.add(prefix + "a name has 1 to 64 letters, digits, dots, hyphens and underscores");
        }
        Principal principal =
                new Principal(name, apps(prefix, config, mistakes), permissions(prefix, config, mistakes));
        if (config.accessKeyId().isPresent() || config.secretAccessKey().isPresent()) {
            addAccessKey(prefix, config, principal, mistakes);
        }
        return principal;
    }

    private static List<String> apps(String prefix, PrincipalsConfig.PrincipalConfig config, List<String> mistakes) {
        List<String> apps = config.apps().orElse(List.of());
        if (apps.isEmpty()) {
            mistakes.add(prefix + "set apps: app IDs, prefixes that end with *, or * for all");
        }
        for (String app : apps) {
            if (!APPS.matcher(app).matches()) {
                mistakes.add(
                        prefix + "apps has '" + app + "', which is neither an app ID nor a prefix that ends with *");
            }
        }
        return List.copyOf(apps);
    }

    private static Set<Permission> permissions(
            String prefix, PrincipalsConfig.PrincipalConfig config, List<String> mistakes) {
        Set<Permission> permissions = new HashSet<>();
        for (String name : config.permissions().orElse(List.of())) {
            Permission.named(name)
                    .ifPresentOrElse(
                            permissions::add,
                            () -> mistakes.add(prefix + "permissions has '" + name + "', which is none of "
                                    + List.of(Permission.values())));
        }
        if (config.permissions().orElse(List.of()).isEmpty()) {
            mistakes.add(prefix + "set permissions, any of " + List.of(Permission.values()));
        }
        return Set.copyOf(permissions);
    }

    private void addAccessKey(
            String prefix, PrincipalsConfig.PrincipalConfig config, Principal principal, List<String> mistakes) {
        String id = config.accessKeyId().orElse("");
        String secret = config.secretAccessKey().orElse("");
        if (id.isEmpty() || secret.isEmpty()) {
            mistakes.add(prefix + "access-key-id and secret-access-key go together; one of them is missing");
        } else if (!ACCESS_KEY_ID.matcher(id).matches()) {
            mistakes.add(prefix + "access-key-id must be 16 to 128 letters, digits and underscores");
        } else if (secret.length() < MIN_SECRET_LENGTH) {
            mistakes.add(prefix + "secret-access-key must have at least " + MIN_SECRET_LENGTH
                    + " characters, as `openssl rand -base64 30` prints them");
        } else if (byAccessKeyId.put(id, new AccessKey(id, secret, principal)) != null) {
            mistakes.add(prefix + "another principal has the same access-key-id");
        }
    }

    private static void refuseDevelopment(PrincipalsConfig config, AccessConfig access, List<String> mistakes) {
        if (config.byName().isEmpty()) {
            mistakes.add("nobody could call: set countersign.principals.<name>.access-key-id and .secret-access-key,"
                    + " or .subject, and .apps and .permissions");
        }
        if (access.anonymousPrincipal().isPresent()) {
            mistakes.add("countersign.access.anonymous-principal lets everybody in, and is for development only");
        }
        config.byName().forEach((name, principal) -> {
            if (principal.secretAccessKey().filter(DEVELOPMENT_SECRET::equals).isPresent()) {
                mistakes.add("countersign.principals." + name + ": secret-access-key is the public development secret");
            }
            if (name.equals(DEVELOPER)) {
                mistakes.add("countersign.principals." + name + ": this name is for development only");
            } else if (principal.accessKeyId().isEmpty() && principal.subject().isEmpty()) {
                mistakes.add("countersign.principals." + name
                        + ": set access-key-id and secret-access-key, or subject; else nobody can call as it");
            }
        });
    }

    /** An access key and its principal. */
    record AccessKey(String id, String secret, Principal principal) {

        /** Without the secret. */
        @Override
        public String toString() {
            return "AccessKey[id=" + id + "]";
        }
    }
}
