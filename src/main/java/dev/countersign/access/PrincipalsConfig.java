package dev.countersign.access;

import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithParentName;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Who may call, by name. */
@ConfigMapping(prefix = "countersign.principals")
public interface PrincipalsConfig {

    /** The principals by name: 1 to 64 letters, digits and {@code - _ .}, the name that tokens and the audit carry. */
    @WithParentName
    Map<String, PrincipalConfig> byName();

    /** One principal: an access key, a subject or both, and what it may do where. */
    interface PrincipalConfig {

        /** The ID of the access key with which an AWS client signs: 16 to 128 letters, digits and underscores. */
        Optional<String> accessKeyId();

        /** The secret of that key, at least 32 characters. */
        Optional<String> secretAccessKey();

        /**
         * The subject ({@code sub}) of the JSON Web Tokens with which the principal calls: exact, a prefix that ends with
         * {@code *}, or {@code *} for all. A caller whose token is of several principals gets 403.
         */
        Optional<String> subject();

        /** The issuer ({@code iss}) of these tokens. May be left out when there is only one issuer. */
        Optional<String> issuer();

        /**
         * A claim that these tokens must have too, as {@code groups=console-admins}: the string itself, or an array that
         * contains it. {@code email} counts only if {@code email_verified} is true.
         */
        Optional<String> claim();

        /**
         * The claim that says whom these tokens speak for, {@code sub} by default. A token in which it isn't a string of 1
         * to 256 characters gets 403; {@code email} counts only if {@code email_verified} is true.
         */
        Optional<String> subjectClaim();

        /** Its apps: app IDs, prefixes that end with {@code *}, or {@code *} for all. */
        Optional<List<String>> apps();

        /** Its permissions: any of {@code issue}, {@code delegate}, {@code read}, {@code remove}, {@code redeem}, {@code admin}. */
        Optional<List<String>> permissions();
    }
}
