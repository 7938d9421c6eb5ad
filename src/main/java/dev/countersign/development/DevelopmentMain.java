package dev.countersign.development;

import dev.countersign.Main;

/** The entry point of dev mode: starts a database before Quarkus looks for one. */
public final class DevelopmentMain {

    private DevelopmentMain() {}

    public static void main(String... args) {
        DevelopmentDatabase.start();
        Main.main(args);
    }
}
