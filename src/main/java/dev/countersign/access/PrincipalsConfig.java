package dev.countersign.access;

import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithParentName;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Who may call, with which credentials, and what they may do. */
@ConfigMapping(prefix = "countersign.principals")
public interface PrincipalsConfig {

    /** A principal. Its name has 1 to 64 letters, digits and {@code - _ .}; tokens and the audit carry the name. */
    @WithParentName
    Map<String, PrincipalConfig> byName();

    /** One principal: an access key, a subject or both, and its apps and permissions. */
    interface PrincipalConfig {

        /** The ID of the access key with which an AWS client signs: 16 to 128 letters, digits and underscores. */
        Optional<String> accessKeyId();

        /** The secret of that key, at least 32 characters. */
        Optional<String> secretAccessKey();

        /**
         * The subject ({@code sub}) of the principal's bearer tokens: exact, a prefix that ends with {@code *}, or
         * {@code *} for all. A caller whose bearer token matches several principals gets 403.
         */
        Optional<String> subject();

        /** The issuer ({@code iss}) of these bearer tokens. Optional when there is only one issuer. */
        Optional<String> issuer();

        /**
         * A claim that these bearer tokens must also have, such as {@code groups=console-admins}: the claim is this
         * string, or an array that contains it. {@code email} counts only if {@code email_verified} is true.
         */
        Optional<String> claim();

        /**
         * The claim that identifies the person or machine, {@code sub} by default. If a bearer token's claim isn't a
         * string of 1 to 256 characters, its caller gets 403. {@code email} counts only if {@code email_verified} is
         * true.
         */
        Optional<String> subjectClaim();

        /** The principal's apps: app IDs, prefixes that end with {@code *}, or {@code *} for all. */
        Optional<List<String>> apps();

        /**
         * The principal's permissions: any of {@code issue}, {@code delegate}, {@code read}, {@code remove},
         * {@code redeem}, {@code admin}.
         */
        Optional<List<String>> permissions();
    }
}
