package dev.countersign.access;

import java.util.ArrayList;
import java.util.List;

/** The principals that call with JSON Web Tokens. Immutable. */
record JwtPrincipals(List<JwtPrincipal> all) {

    JwtPrincipals {
        all = List.copyOf(all);
    }

    boolean isEmpty() {
        return all.isEmpty();
    }

    /**
     * The principals that the token matches. A caller is one principal: more than one match is a mistake in the
     * settings.
     */
    List<JwtPrincipal> of(TokenClaims token) {
        return all.stream().filter(principal -> principal.matches(token)).toList();
    }

    /** Lists the principals whose every token would match another principal too. */
    List<String> mistakes() {
        List<String> mistakes = new ArrayList<>();
        for (JwtPrincipal one : all) {
            for (JwtPrincipal other : all.subList(all.indexOf(one) + 1, all.size())) {
                if (one.covers(other)) {
                    mistakes.add(overlap(other, one));
                } else if (other.covers(one)) {
                    mistakes.add(overlap(one, other));
                }
            }
        }
        return mistakes;
    }

    private static String overlap(JwtPrincipal never, JwtPrincipal broader) {
        return "countersign.principals." + never.principal().name() + ": each of its callers would be "
                + broader.principal().name() + " too, and be refused; change subject, claim or issuer of one";
    }
}
