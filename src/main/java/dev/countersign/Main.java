package dev.countersign;

import io.quarkus.runtime.Quarkus;
import io.quarkus.runtime.annotations.QuarkusMain;

/** The program's entry. */
@QuarkusMain
public final class Main {

    static {
        // Else the server answers a malformed path before any of our code sees it, with an empty body. RequestShape
        // checks it instead. There is no setting for it but this property, read when the server is made.
        System.setProperty("vertx.disableURIValidation", "true");
    }

    private Main() {}

    public static void main(String... args) {
        Quarkus.run(args);
    }
}
