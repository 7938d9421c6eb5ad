package bench;

import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.context.annotation.Bean;
import org.springframework.http.ResponseEntity;
import org.springframework.jdbc.core.JdbcOperations;
import org.springframework.security.authentication.ott.GenerateOneTimeTokenRequest;
import org.springframework.security.authentication.ott.JdbcOneTimeTokenService;
import org.springframework.security.authentication.ott.OneTimeToken;
import org.springframework.security.authentication.ott.OneTimeTokenAuthenticationToken;
import org.springframework.security.authentication.ott.OneTimeTokenService;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RestController;

/** Spring Security's one-time tokens in a database, each operation behind an endpoint. */
@SpringBootApplication
public class SpringPeer {

    public static void main(String... args) {
        SpringApplication.run(SpringPeer.class, args);
    }

    @Bean
    OneTimeTokenService tokens(JdbcOperations jdbc) {
        return new JdbcOneTimeTokenService(jdbc);
    }

    @RestController
    static class Endpoints {

        private final OneTimeTokenService tokens;

        Endpoints(OneTimeTokenService tokens) {
            this.tokens = tokens;
        }

        @PostMapping("/generate")
        OneTimeToken generate() {
            return tokens.generate(new GenerateOneTimeTokenRequest("demo"));
        }

        @PostMapping("/consume")
        ResponseEntity<OneTimeToken> consume(@RequestBody Presented presented) {
            return ResponseEntity.ofNullable(
                    tokens.consume(OneTimeTokenAuthenticationToken.unauthenticated(presented.tokenValue())));
        }
    }

    record Presented(String tokenValue) {}
}
