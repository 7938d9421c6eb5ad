package dev.countersign.http;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.URI;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ExternalUrlTest {

    @ParameterizedTest
    @CsvSource({
        "https://auth.example.com, auth.example.com",
        "https://auth.example.com:443/auth, auth.example.com",
        "http://auth.example.com:80, auth.example.com",
        "https://auth.example.com:8443, auth.example.com:8443",
        "http://auth.example.com:443, auth.example.com:443"
    })
    void usualPortIsLeftOut(URI url, String authority) {
        assertThat(ExternalUrl.authority(url)).isEqualTo(authority);
    }
}
