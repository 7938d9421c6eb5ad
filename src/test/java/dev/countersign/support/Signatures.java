package dev.countersign.support;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import java.time.Duration;
import java.util.Map;

/**
 * Signs as {@link AwsCredentials} do, and each request once a minute: many clients that race with one request cost one
 * signature, which is good for five.
 */
final class Signatures implements ServiceClient.Credentials {

    private static final Cache<String, Map<String, String>> SIGNED = Caffeine.newBuilder()
            .expireAfterWrite(Duration.ofMinutes(1))
            .maximumSize(100_000)
            .build();

    private final String authority;

    Signatures(String authority) {
        this.authority = authority;
    }

    @Override
    public Map<String, String> headers(String method, String path, String body) {
        return SIGNED.get(
                String.join(" ", authority, method, path, body),
                request -> SignedRequest.to(authority, method, path, body).headers());
    }
}
