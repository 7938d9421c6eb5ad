package dev.countersign.limit;

import io.netty.handler.ipfilter.IpFilterRuleType;
import io.netty.handler.ipfilter.IpSubnetFilterRule;
import io.netty.util.NetUtil;
import io.vertx.core.http.HttpServerRequest;
import jakarta.inject.Singleton;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Finds the address that a request comes from. {@code X-Forwarded-For} is read from its end, and trusted only as far as
 * the configured proxies wrote it: a caller can put anything before that. (Quarkus's own forwarding takes the first
 * entry.)
 */
@Singleton
class SourceAddress {

    private static final int IPV6_NETWORK_BYTES = 8;

    /** The setting's value where callers connect directly. It stands alone. */
    private static final List<String> NONE = List.of("none");

    private final boolean configured;
    private final List<IpSubnetFilterRule> proxies;

    SourceAddress(LimitConfig config) {
        List<String> trusted = config.trustedProxies().orElse(List.of());
        configured = !trusted.isEmpty();
        proxies = trusted.equals(NONE)
                ? List.of()
                : trusted.stream().map(SourceAddress::network).toList();
    }

    /** Whether the trusted proxies are configured. If not, all callers may seem to be one proxy. */
    boolean isConfigured() {
        return configured;
    }

    /**
     * A name for the source address. All addresses of an IPv6 /64 network have one name, because a household or a host
     * gets a whole one.
     */
    String of(HttpServerRequest request) {
        return of(
                request.remoteAddress().hostAddress(),
                String.join(",", request.headers().getAll("X-Forwarded-For")));
    }

    String of(@Nullable String peer, String forwardedFor) {
        InetAddress address = address(peer);
        for (String entry : List.of(forwardedFor.split(",")).reversed()) {
            InetAddress before = address(withoutPort(entry.strip()));
            if (before == null || address == null || !isProxy(address)) {
                break;
            }
            address = before;
        }
        return address == null ? "" : name(address);
    }

    /**
     * Removes the port. Some proxies write {@code 192.0.2.1:4711} or {@code [2001:db8::1]:4711}; RFC 7239 has both
     * forms.
     */
    private static String withoutPort(String entry) {
        if (entry.startsWith("[")) {
            int end = entry.indexOf(']');
            return end < 0 ? entry : entry.substring(1, end);
        }
        int colon = entry.indexOf(':');
        return colon < 0 || colon != entry.lastIndexOf(':') ? entry : entry.substring(0, colon);
    }

    private boolean isProxy(InetAddress address) {
        return proxies.stream().anyMatch(proxy -> proxy.matches(new InetSocketAddress(address, 0)));
    }

    private static String name(InetAddress address) {
        byte[] bytes = address.getAddress();
        return Arrays.toString(address instanceof Inet6Address ? Arrays.copyOf(bytes, IPV6_NETWORK_BYTES) : bytes);
    }

    private static IpSubnetFilterRule network(String configured) {
        String[] parts = configured.strip().split("/", 2);
        InetAddress address = address(parts[0]);
        try {
            if (address != null) {
                int bits = parts.length == 2 ? Integer.parseInt(parts[1]) : address.getAddress().length * Byte.SIZE;
                return new IpSubnetFilterRule(address, bits, IpFilterRuleType.ACCEPT);
            }
        } catch (IllegalArgumentException e) {
            // The exception below tells what is wrong.
        }
        throw new IllegalStateException(
                "countersign.limit.trusted-proxies has '" + configured
                        + "', which is neither an address nor a network such as 10.0.0.0/8. Set none, alone, where callers connect directly");
    }

    /** Parses an address; null if it isn't one. A name is never looked up. An IPv4 address may be written as IPv6. */
    private static @Nullable InetAddress address(@Nullable String written) {
        byte[] bytes = written == null ? null : NetUtil.createByteArrayFromIpAddressString(written);
        try {
            return bytes == null ? null : InetAddress.getByAddress(bytes);
        } catch (UnknownHostException e) {
            return null;
        }
    }
}
