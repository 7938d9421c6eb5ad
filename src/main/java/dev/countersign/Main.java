package dev.countersign;

import io.quarkus.runtime.Quarkus;
import io.quarkus.runtime.annotations.QuarkusMain;

/** The entry point of the service. */
@QuarkusMain
public final class Main {

    static {
        // Vert.x's own URI validation answers a malformed path with an empty body, before our code sees the request.
        // RequestShape validates the path instead. Only this property turns it off; it is read when the server is
        // created.
        System.setProperty("vertx.disableURIValidation", "true");
    }

    private Main() {}

    public static void main(String... args) {
        Quarkus.run(args);
    }
}
