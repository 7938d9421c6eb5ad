package dev.countersign.http;

import java.net.URI;

/** A URL under which clients reach the service, {@code countersign.sigv4.external-url}. */
public final class ExternalUrl {

    private ExternalUrl() {}

    /**
     * Host and port as clients send them in {@code Host} and {@code Origin}: without the default port of the scheme.
     */
    public static String authority(URI url) {
        boolean usual = url.getPort() < 0 || url.getPort() == ("https".equals(url.getScheme()) ? 443 : 80);
        return usual ? String.valueOf(url.getHost()) : url.getHost() + ":" + url.getPort();
    }
}
