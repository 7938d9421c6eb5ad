package dev.countersign.access;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A principal that calls with JSON Web Tokens.
 *
 * @param issuer the {@code iss} of its tokens; empty if there is only one issuer
 * @param subject the {@code sub} of its tokens
 * @param claim another claim that its tokens must have; empty if they need none
 * @param subjectClaim the claim that names the person or machine a token speaks for
 */
record JwtPrincipal(
        Principal principal, Optional<String> issuer, NamePattern subject, Optional<Claim> claim, String subjectClaim) {

    private static final String SUB = "sub";

    /** Builds a principal from its settings. Adds what is wrong with them to {@code mistakes}. */
    static JwtPrincipal of(
            Principal principal, PrincipalsConfig.PrincipalConfig config, TokenIssuers issuers, List<String> mistakes) {
        List<String> own = new ArrayList<>();
        NamePattern subject = new NamePattern(config.subject().orElse(""));
        if (config.subject().isEmpty()) {
            own.add("issuer, claim and subject-claim need a subject; set it to * for all subjects of the issuer");
        } else if (subject.isMalformed()) {
            own.add("subject may have a * at its end only");
        }
        if (config.claim().isPresent() && config.claim().flatMap(Claim::of).isEmpty()) {
            own.add("claim must be a claim's name and value, such as groups=console-admins");
        }
        if (config.issuer().isEmpty() && issuers.areSeveral()) {
            own.add("set issuer, to the iss of its tokens: there are several issuers");
        }
        config.issuer()
                .filter(iss ->
                        !issuers.isEmpty() && issuers.of(Optional.of(iss)).isEmpty())
                .ifPresent(iss -> own.add("issuer is " + iss + ", which is none of " + issuers.configured()));
        own.forEach(mistake -> mistakes.add("countersign.principals." + principal.name() + ": " + mistake));
        return new JwtPrincipal(
                principal,
                config.issuer(),
                subject,
                config.claim().flatMap(Claim::of),
                config.subjectClaim().orElse(SUB));
    }

    boolean matches(TokenClaims token) {
        return (issuer.isEmpty() || issuer.equals(token.string("iss")))
                && token.string(SUB).map(subject::matches).orElse(false)
                && claim.map(claim -> token.has(claim.name(), claim.value())).orElse(true);
    }

    /** Whether every token of the other principal certainly matches this one too. */
    boolean covers(JwtPrincipal other) {
        return (issuer.isEmpty() || other.issuer.isEmpty() || issuer.equals(other.issuer))
                && subject.covers(other.subject)
                && (claim.isEmpty() || claim.equals(other.claim));
    }

    /** A claim's name, and the value that it must be or contain. */
    record Claim(String name, String value) {

        /** Parses {@code name=value}; empty if the text has another form. */
        static Optional<Claim> of(String text) {
            int equals = text.indexOf('=');
            return equals < 1 || equals == text.length() - 1
                    ? Optional.empty()
                    : Optional.of(new Claim(text.substring(0, equals), text.substring(equals + 1)));
        }
    }
}
