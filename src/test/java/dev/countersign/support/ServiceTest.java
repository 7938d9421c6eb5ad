package dev.countersign.support;

import io.quarkus.test.common.TestResourceScope;
import io.quarkus.test.common.WithTestResource;
import org.junit.jupiter.api.BeforeEach;

/** A test of the running service on a database of its own, with the apps {@code demo} and {@code other}. */
@WithTestResource(value = PostgresResource.class, scope = TestResourceScope.GLOBAL)
@WithTestResource(value = CallersResource.class, scope = TestResourceScope.GLOBAL)
public abstract class ServiceTest {

    @BeforeEach
    void registerApps() {
        TestDatabase.register("demo");
        TestDatabase.register("other");
    }
}
