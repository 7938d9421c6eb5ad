package dev.countersign.support;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Signs as {@link AwsCredentials} do, and each request once: many clients that race with one request cost one signature,
 * which is good for minutes.
 */
final class Signatures implements ServiceClient.Credentials {

    private static final Map<String, Map<String, String>> SIGNED = new ConcurrentHashMap<>();

    private final String authority;

    Signatures(String authority) {
        this.authority = authority;
    }

    @Override
    public Map<String, String> headers(String method, String path, String body) {
        return SIGNED.computeIfAbsent(
                String.join(" ", authority, method, path, body),
                request -> SignedRequest.to(authority, method, path, body).headers());
    }
}
