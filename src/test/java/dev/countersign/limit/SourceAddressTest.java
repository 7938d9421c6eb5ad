package dev.countersign.limit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;

/** A caller is known by its address, and can't choose it. */
class SourceAddressTest {

    private static final String CALLER = "198.51.100.7";

    @Test
    void nobodyIsBelievedWhereNoProxyIsConfigured() {
        assertThat(behind().of(CALLER, "203.0.113.1")).isEqualTo(behind().of(CALLER, ""));
    }

    @Test
    void onlyProxiesAreBelieved() {
        SourceAddress source = behind("10.0.0.0/8");
        assertThat(source.of(CALLER, "203.0.113.1")).isEqualTo(source.of(CALLER, ""));
        assertThat(source.of("10.1.2.3", CALLER)).isEqualTo(source.of(CALLER, ""));
    }

    @Test
    void whatTheCallerSentItselfIsNotBelieved() {
        SourceAddress source = behind("10.0.0.0/8", "192.0.2.1");
        assertThat(source.of("10.1.2.3", "203.0.113.1, " + CALLER + ", 192.0.2.1"))
                .isEqualTo(source.of(CALLER, ""));
        assertThat(source.of("10.1.2.3", "10.9.9.9, " + CALLER)).isEqualTo(source.of(CALLER, ""));
    }

    @Test
    void whatIsNoAddressEndsTheChain() {
        SourceAddress source = behind("10.0.0.0/8");
        assertThat(source.of("10.1.2.3", CALLER + ", unknown")).isEqualTo(source.of("10.1.2.3", ""));
        assertThat(source.of("10.1.2.3", "localhost")).isEqualTo(source.of("10.1.2.3", ""));
        assertThat(source.of(null, "")).isEmpty();
    }

    @Test
    void networkOfAnIpv6AddressIsOneCaller() {
        SourceAddress source = behind("fd00::/8");
        assertThat(source.of("fd00::1", "2001:db8:1:2::3")).isEqualTo(source.of("2001:db8:1:2:ffff::9", ""));
        assertThat(source.of("2001:db8:1:2::3", "")).isNotEqualTo(source.of("2001:db8:1:3::3", ""));
    }

    @Test
    void portsAndBracketsAreNoPartOfAnAddress() {
        SourceAddress source = behind("10.0.0.0/8");
        String direct = source.of(CALLER, "");
        assertThat(source.of("10.1.2.3", CALLER + ":4711, 10.0.0.9:80")).isEqualTo(direct);
        String ipv6 = source.of("2001:db8:1:2::3", "");
        for (String written : List.of("2001:db8:1:2::3", "[2001:db8:1:2::3]", "[2001:db8:1:2::3]:4711")) {
            assertThat(source.of("10.1.2.3", written)).as(written).isEqualTo(ipv6);
        }
        assertThat(source.of("10.1.2.3", "[2001:db8:1:2::3")).isEqualTo(source.of("10.1.2.3", ""));
    }

    /** Else one bad caller behind a proxy would lock out all that are behind it. */
    @Test
    void nothingIsToldUntilTheSettingIsThere() {
        assertThat(behind().isConfigured()).isFalse();
        assertThat(behind("10.0.0.0/8").isConfigured()).isTrue();
        assertThat(behind("none").isConfigured()).isTrue();
        assertThat(behind("none").of("10.1.2.3", CALLER))
                .isEqualTo(behind("none").of("10.1.2.3", ""));
    }

    @Test
    void malformedProxyStopsTheStart() {
        for (String malformed : List.of("proxy.example.com", "10.0.0.0/33", "10.0.0.0/x", "")) {
            assertThatThrownBy(() -> behind(malformed)).hasMessageContaining("countersign.limit.trusted-proxies");
        }
    }

    private static SourceAddress behind(String... proxies) {
        return new SourceAddress(new Proxies(proxies.length == 0 ? Optional.empty() : Optional.of(List.of(proxies))));
    }

    private record Proxies(Optional<List<String>> trustedProxies) implements LimitConfig {

        @Override
        public OptionalInt createTokenPerMinute() {
            return OptionalInt.empty();
        }

        @Override
        public OptionalInt readPerMinute() {
            return OptionalInt.empty();
        }

        @Override
        public OptionalInt redeemPerMinute() {
            return OptionalInt.empty();
        }

        @Override
        public OptionalInt removePerMinute() {
            return OptionalInt.empty();
        }

        @Override
        public OptionalInt registryPerMinute() {
            return OptionalInt.empty();
        }

        @Override
        public int refusedAuthenticationPerMinute() {
            return 1;
        }

        @Override
        public Duration burst() {
            return Duration.ofSeconds(1);
        }
    }
}
