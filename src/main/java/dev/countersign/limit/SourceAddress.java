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
 * Where a request comes from. What stands in {@code X-Forwarded-For} is believed from its end on, as far as the
 * configured proxies wrote it: a caller can put anything before that. (Quarkus's own forwarding takes the first entry.)
 */
@Singleton
class SourceAddress {

    private static final int IPV6_NETWORK_BYTES = 8;

    /** The only value of the setting where callers connect directly. */
    private static final List<String> NONE = List.of("none");

    private final boolean told;
    private final List<IpSubnetFilterRule> proxies;

    SourceAddress(LimitConfig config) {
        List<String> configured = config.trustedProxies().orElse(List.of());
        told = !configured.isEmpty();
        proxies = configured.equals(NONE)
                ? List.of()
                : configured.stream().map(SourceAddress::network).toList();
    }

    /** Whether the settings say which proxies there are. Else every caller may seem to be one proxy. */
    boolean isTold() {
        return told;
    }

    /** A name for it; one IPv6 network, which is what a household or a host gets, has one name. */
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

    /** Some proxies write {@code 192.0.2.1:4711} or {@code [2001:db8::1]:4711}; RFC 7239 has both forms. */
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
            // As below.
        }
        throw new IllegalStateException(
                "countersign.limit.trusted-proxies has '" + configured
                        + "', which is neither an address nor a network such as 10.0.0.0/8. Set none, alone, where callers connect directly");
    }

    /** Of an address as it is written, for a name would be looked up; an IPv4 address may be written as IPv6. */
    private static @Nullable InetAddress address(@Nullable String written) {
        byte[] bytes = written == null ? null : NetUtil.createByteArrayFromIpAddressString(written);
        try {
            return bytes == null ? null : InetAddress.getByAddress(bytes);
        } catch (UnknownHostException e) {
            return null;
        }
    }
}
