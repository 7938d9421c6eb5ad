package dev.countersign.logging;

import static org.assertj.core.api.Assertions.assertThat;

import dev.countersign.support.ServiceTest;
import io.quarkus.test.junit.QuarkusTest;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jboss.logging.Logger;
import org.junit.jupiter.api.Test;

@QuarkusTest
class LogQueueTest extends ServiceTest {

    private static final Logger LOG = Logger.getLogger(LogQueueTest.class);

    /** The thread that writes the log also makes the text of a record. */
    @Test
    void recordsAreWrittenAfterAnError() throws InterruptedException {
        CountDownLatch written = new CountDownLatch(1);
        LOG.infof(
                "%s",
                new Object() {
                    @Override
                    public String toString() {
                        throw new OutOfMemoryError("made up");
                    }
                });
        LOG.infof(
                "%s",
                new Object() {
                    @Override
                    public String toString() {
                        written.countDown();
                        return "written after an error";
                    }
                });
        assertThat(written.await(5, TimeUnit.SECONDS)).isTrue();
    }
}
