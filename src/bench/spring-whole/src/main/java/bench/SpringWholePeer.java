package bench;

import io.github.bucket4j.BucketConfiguration;
import io.github.bucket4j.distributed.BucketProxy;
import io.github.bucket4j.distributed.jdbc.PrimaryKeyMapper;
import io.github.bucket4j.distributed.proxy.optimization.Optimizations;
import io.github.bucket4j.postgresql.Bucket4jPostgreSQL;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import java.nio.charset.StandardCharsets;
import java.security.Principal;
import java.time.Duration;
import java.util.function.Supplier;
import javax.crypto.spec.SecretKeySpec;
import javax.sql.DataSource;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.context.annotation.Bean;
import org.springframework.http.HttpStatus;
import org.springframework.http.ResponseEntity;
import org.springframework.jdbc.core.JdbcOperations;
import org.springframework.security.access.prepost.PreAuthorize;
import org.springframework.security.authentication.ott.GenerateOneTimeTokenRequest;
import org.springframework.security.authentication.ott.JdbcOneTimeTokenService;
import org.springframework.security.authentication.ott.OneTimeToken;
import org.springframework.security.authentication.ott.OneTimeTokenAuthenticationToken;
import org.springframework.security.authentication.ott.OneTimeTokenService;
import org.springframework.security.config.Customizer;
import org.springframework.security.config.annotation.method.configuration.EnableMethodSecurity;
import org.springframework.security.config.annotation.web.builders.HttpSecurity;
import org.springframework.security.config.annotation.web.configurers.AbstractHttpConfigurer;
import org.springframework.security.config.http.SessionCreationPolicy;
import org.springframework.security.oauth2.jwt.JwtDecoder;
import org.springframework.security.oauth2.jwt.NimbusJwtDecoder;
import org.springframework.security.web.SecurityFilterChain;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RestController;

/**
 * Spring Security's one-time tokens with what a service needs besides: a caller known by a JWT, a permission, a limit
 * that replicas share, an audit in JSON, and metrics.
 */
@SpringBootApplication
@EnableMethodSecurity
public class SpringWholePeer {

    public static void main(String... args) {
        SpringApplication.run(SpringWholePeer.class, args);
    }

    @Bean
    SecurityFilterChain security(HttpSecurity http) throws Exception {
        return http.csrf(AbstractHttpConfigurer::disable)
                .sessionManagement(session -> session.sessionCreationPolicy(SessionCreationPolicy.STATELESS))
                .authorizeHttpRequests(requests -> requests.anyRequest().authenticated())
                .oauth2ResourceServer(server -> server.jwt(Customizer.withDefaults()))
                .build();
    }

    @Bean
    JwtDecoder tokensOfCallers(@Value("${bench.secret}") String secret) {
        byte[] key = secret.getBytes(StandardCharsets.UTF_8);
        return NimbusJwtDecoder.withSecretKey(new SecretKeySpec(key, "HmacSHA256")).build();
    }

    @Bean
    OneTimeTokenService tokens(JdbcOperations jdbc) {
        return new JdbcOneTimeTokenService(jdbc);
    }

    /** Callers that wait at the same time share a round trip to the bucket, or its row would serialize them all. */
    @Bean
    BucketProxy limit(DataSource database) {
        Supplier<BucketConfiguration> outOfReach = () -> BucketConfiguration.builder()
                .addLimit(limit -> limit.capacity(3_000_000).refillGreedy(60_000_000, Duration.ofMinutes(1)))
                .build();
        return Bucket4jPostgreSQL.selectForUpdateBasedBuilder(database)
                .primaryKeyMapper(PrimaryKeyMapper.STRING)
                .build()
                .builder()
                .withOptimization(Optimizations.batching())
                .build("demo", outOfReach);
    }

    @RestController
    static class Endpoints {

        private static final Logger AUDIT = LoggerFactory.getLogger("audit");

        private final OneTimeTokenService tokens;
        private final BucketProxy limit;
        private final Counter issued;
        private final Counter redeemed;

        Endpoints(OneTimeTokenService tokens, BucketProxy limit, MeterRegistry metrics) {
            this.tokens = tokens;
            this.limit = limit;
            this.issued = metrics.counter("tokens.issued");
            this.redeemed = metrics.counter("tokens.redeemed");
        }

        @PostMapping("/generate")
        @PreAuthorize("hasAuthority('SCOPE_issue')")
        ResponseEntity<OneTimeToken> generate(Principal caller) {
            if (!limit.tryConsume(1)) {
                return ResponseEntity.status(HttpStatus.TOO_MANY_REQUESTS).build();
            }
            OneTimeToken token = tokens.generate(new GenerateOneTimeTokenRequest("demo"));
            issued.increment();
            audit("issue", caller);
            return ResponseEntity.ok(token);
        }

        @PostMapping("/consume")
        @PreAuthorize("hasAuthority('SCOPE_redeem')")
        ResponseEntity<OneTimeToken> consume(@RequestBody Presented presented, Principal caller) {
            if (!limit.tryConsume(1)) {
                return ResponseEntity.status(HttpStatus.TOO_MANY_REQUESTS).build();
            }
            OneTimeToken token =
                    tokens.consume(OneTimeTokenAuthenticationToken.unauthenticated(presented.tokenValue()));
            redeemed.increment();
            audit("redeem", caller);
            return ResponseEntity.ofNullable(token);
        }

        private static void audit(String event, Principal caller) {
            AUDIT.atInfo()
                    .addKeyValue("event", event)
                    .addKeyValue("outcome", "done")
                    .addKeyValue("principal", caller.getName())
                    .addKeyValue("app", "demo")
                    .log("audit");
        }
    }

    record Presented(String tokenValue) {}
}
