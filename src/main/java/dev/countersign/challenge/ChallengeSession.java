package dev.countersign.challenge;

import io.quarkus.hibernate.orm.panache.PanacheEntityBase;
import jakarta.persistence.Column;
import jakarta.persistence.Entity;
import jakarta.persistence.EnumType;
import jakarta.persistence.Enumerated;
import jakarta.persistence.EnumeratedValue;
import jakarta.persistence.Id;
import jakarta.persistence.IdClass;
import jakarta.persistence.Table;
import java.time.Instant;
import java.util.UUID;

/**
 * What a removal looks at of a token's row. It names the app and the session, so that no app reaches another's rows and
 * one partition is touched. {@link SessionWriter} inserts the rows and {@link SessionReader} looks them up.
 */
@Entity
@Table(name = "challenge_session")
@IdClass(ChallengeSession.Key.class)
class ChallengeSession extends PanacheEntityBase {

    private static final String LIVE = """
             where s.appId = ?1 and s.sessionId = ?2 and s.state = ISSUED and s.expiresAt > instant
               and exists (select 1 from App a where a.appId = s.appId and a.generation = s.appGeneration)
            """;

    @Id
    @Column(name = "app_id")
    String appId;

    /** Which registration of the app: when it is deleted, its tokens end with it. */
    @Column(name = "app_generation")
    long appGeneration;

    @Id
    @Column(name = "session_id")
    UUID sessionId;

    @Column(name = "state")
    @Enumerated(EnumType.STRING)
    State state;

    @Column(name = "expires_at")
    Instant expiresAt;

    /** Deletes the token if it is of this registered app and lives; of several at once, one gets true. */
    static boolean deleteLive(String appId, UUID sessionId) {
        return delete("delete from ChallengeSession s" + LIVE, appId, sessionId) == 1;
    }

    enum State {
        ISSUED("issued"),
        REDEEMED("redeemed"),
        LOCKED("locked");

        @EnumeratedValue
        final String value;

        State(String value) {
            this.value = value;
        }
    }

    record Key(String appId, UUID sessionId) {}
}
