package dev.countersign.support;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.BindException;
import java.net.HttpURLConnection;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/** The packaged service as a process of its own, in prod mode, which a test may start twice and may kill. */
public final class ServiceProcess implements AutoCloseable {

    private static final Path JAR = Path.of("target", "quarkus-app", "quarkus-run.jar");
    /** Empty unless a native binary was built or given (pom.xml): a jar of an earlier build must not be tested in its place. */
    private static final String BINARY = System.getProperty("package.binary", "");

    private static final String PORT = "quarkus.http.port";
    private static final String MANAGEMENT_PORT = "quarkus.management.port";
    private static final Duration START_WAIT = Duration.ofSeconds(60);
    private static final AtomicInteger STARTED = new AtomicInteger();

    /** Most live for seconds, in which the second compiler costs more than it gives. */
    private static final List<String> SHORT_LIFE = List.of("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx512m");

    /** A slow machine must not turn a test's expected reply into a 504; the budget has a test of its own. */
    static final Map<String, String> PATIENT = Map.of(
            "countersign.request-timeout", "PT30S",
            "quarkus.datasource.jdbc.acquisition-timeout", "PT30S",
            "quarkus.datasource.jdbc.additional-jdbc-properties.socketTimeout", "30");

    /** As production has them. */
    public static final Map<String, String> DEFAULT_TIMEOUTS = Map.of(
            "countersign.request-timeout", "PT2S",
            "quarkus.datasource.jdbc.acquisition-timeout", "PT1S",
            "quarkus.datasource.jdbc.additional-jdbc-properties.socketTimeout", "2");

    /** One key for all, so that each process can read what another has issued. */
    public static final String KEY = randomKey();

    private final Process process;
    private final Path log;
    private final URI base;
    private final URI management;
    private final Map<String, String> settings;

    private ServiceProcess(Process process, Path log, URI base, URI management, Map<String, String> settings) {
        this.process = process;
        this.log = log;
        this.base = base;
        this.management = management;
        this.settings = settings;
    }

    /** Returns when it answers. */
    public static ServiceProcess start(PostgresServer database) {
        return start(database, Map.of());
    }

    /** With further settings, by their names in application.properties. */
    public static ServiceProcess start(PostgresServer database, Map<String, String> more) {
        return start(database, more, SHORT_LIFE);
    }

    /** With no settings but those of its environment, by the names of variables: as README and manifests start it. */
    public static ServiceProcess startByEnvironment(Map<String, String> environment) {
        int port = freePort();
        int managementPort = freePort();
        Map<String, String> ports =
                Map.of(PORT, Integer.toString(port), MANAGEMENT_PORT, Integer.toString(managementPort));
        Path log = nextLog();
        return started(new ServiceProcess(
                begin(withSettings(program(SHORT_LIFE), ports), log, environment),
                log,
                localhost(port),
                localhost(managementPort),
                ports));
    }

    /** With the JVM's own defaults, as it is deployed. */
    public static ServiceProcess startForLong(PostgresServer database) {
        return startForLong(database, Map.of());
    }

    /** The same, with further settings. */
    public static ServiceProcess startForLong(PostgresServer database, Map<String, String> more) {
        return start(database, more, List.of());
    }

    /** By another program, whose command the service's own is added to: one that changes its clock, say. */
    public static ServiceProcess startBy(List<String> otherProgram, PostgresServer database, Map<String, String> more) {
        List<String> command = new ArrayList<>(otherProgram);
        Map<String, String> settings = settings(database, freePort(), freePort(), more);
        command.addAll(withSettings(program(SHORT_LIFE), settings));
        return start(command, settings);
    }

    private static ServiceProcess start(PostgresServer database, Map<String, String> more, List<String> jvmOptions) {
        Map<String, String> settings = settings(database, freePort(), freePort(), more);
        return start(withSettings(program(jvmOptions), settings), settings);
    }

    private static ServiceProcess start(List<String> command, Map<String, String> settings) {
        Path log = nextLog();
        return started(new ServiceProcess(
                begin(command, log, Path.of(System.getProperty("user.dir"))),
                log,
                localhost(Integer.parseInt(settings.get(PORT))),
                localhost(Integer.parseInt(settings.get(MANAGEMENT_PORT))),
                settings));
    }

    /**
     * Another process in the place of this one, which must have ended: on its ports, with these settings changed. An
     * empty value takes one away.
     */
    public ServiceProcess startAgain(Map<String, String> changes) {
        Map<String, String> changed = new TreeMap<>(settings);
        changed.putAll(changes);
        changed.values().removeIf(String::isEmpty);
        return start(withSettings(program(SHORT_LIFE), changed), changed);
    }

    /** By a command of the test's own, which starts a copy of what is packaged, in the copy's directory. */
    public static ServiceProcess start(PostgresServer database, List<String> command, Path directory, Path copy) {
        int port = freePort();
        int managementPort = freePort();
        Path log = nextLog();
        Map<String, String> settings = settings(database, port, managementPort, Map.of());
        List<String> all = new ArrayList<>(command);
        all.addAll(withSettings(program(SHORT_LIFE, copy), settings));
        return started(new ServiceProcess(
                begin(all, log, directory), log, localhost(port), localhost(managementPort), settings));
    }

    /** For what ends by itself. */
    public static Program.Run runToEnd(PostgresServer database, Map<String, String> more) {
        return runToEnd(database, more, Map.of());
    }

    /** The same, with variables of its environment. */
    public static Program.Run runToEnd(
            PostgresServer database, Map<String, String> more, Map<String, String> environment) {
        Path log = nextLog();
        Process process = begin(
                withSettings(program(SHORT_LIFE), settings(database, freePort(), freePort(), more)), log, environment);
        try {
            if (process.waitFor(START_WAIT.toSeconds(), TimeUnit.SECONDS)) {
                return new Program.Run(process.exitValue(), Files.readString(log), "");
            }
            throw new IllegalStateException("The service did not end");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        } finally {
            process.destroyForcibly();
        }
    }

    public URI baseUri() {
        return base;
    }

    public URI managementUri() {
        return management;
    }

    /** Its id in this machine. */
    public long pid() {
        return process.pid();
    }

    /** The status of a reply on the management port; 0 when none comes within 2.5 s. */
    public int probe(String path) {
        try {
            HttpURLConnection probe =
                    (HttpURLConnection) management.resolve(path).toURL().openConnection();
            try {
                probe.setConnectTimeout(1000);
                probe.setReadTimeout(2500);
                return probe.getResponseCode();
            } finally {
                // Else each probe leaves a socket open.
                probe.disconnect();
            }
        } catch (IOException e) {
            return 0;
        }
    }

    /** What Prometheus would scrape. */
    public String metrics() {
        try (InputStream metrics = management.resolve("/q/metrics").toURL().openStream()) {
            return new String(metrics.readAllBytes(), UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Has its JVM do something, such as {@code GC.run}. */
    public void jcmd(String... command) {
        List<String> arguments = new ArrayList<>(List.of(Long.toString(pid())));
        arguments.addAll(List.of(command));
        new Program(Path.of(System.getProperty("java.home"), "bin", "jcmd"))
                .run(Map.of(), arguments.toArray(String[]::new))
                .output();
    }

    /** Whether the package is a jar; else it is a native binary, which has no agents, no options of a JVM and no {@link #jcmd}. */
    public static boolean isJvm() {
        return BINARY.isEmpty();
    }

    /** What is started: the binary, or the jar among its libraries. */
    public static Path packaged() {
        Path packaged = isJvm() ? JAR : Path.of(BINARY).toAbsolutePath();
        if (!Files.exists(packaged)) {
            throw new IllegalStateException("Not built: " + packaged);
        }
        return packaged;
    }

    /** SIGTERM, and it may take its time to end. */
    public void startToStop() {
        process.destroy();
    }

    /** What it has printed. */
    public Path log() {
        return log;
    }

    /** SIGKILL: it gets to do nothing more. */
    public void kill() {
        process.destroyForcibly();
        awaitEnd();
    }

    /** SIGTERM: it ends in its own way. */
    public void stop() {
        process.destroy();
        awaitEnd();
    }

    @Override
    public void close() {
        stop();
    }

    private static Map<String, String> settings(
            PostgresServer database, int port, int managementPort, Map<String, String> more) {
        Map<String, String> settings = new TreeMap<>(database.settings());
        settings.putAll(PATIENT);
        settings.put("countersign.challenge.keys.test", KEY);
        settings.put("countersign.challenge.active-key", "test");
        settings.putAll(AwsCredentials.settings());
        settings.put(PORT, Integer.toString(port));
        settings.put(MANAGEMENT_PORT, Integer.toString(managementPort));
        settings.putAll(more);
        return settings;
    }

    private static Path nextLog() {
        String fork = System.getProperty("surefire.forkNumber", "1");
        return Path.of("target", "service-" + fork + "-" + STARTED.incrementAndGet() + ".log");
    }

    private static Process begin(List<String> command, Path log, Map<String, String> environment) {
        return begin(command, log, Path.of(System.getProperty("user.dir")), environment);
    }

    private static List<String> withSettings(List<String> program, Map<String, String> settings) {
        List<String> command = new ArrayList<>(program);
        settings.forEach((name, value) -> command.add(1, "-D" + name + "=" + value));
        return command;
    }

    private static Process begin(List<String> command, Path log, Path directory) {
        return begin(command, log, directory, Map.of());
    }

    private static Process begin(List<String> command, Path log, Path directory, Map<String, String> environment) {
        try {
            ProcessBuilder builder = new ProcessBuilder(command)
                    .directory(directory.toFile())
                    .redirectErrorStream(true)
                    .redirectOutput(log.toFile());
            // Those of somebody who tries the README in the same shell.
            builder.environment()
                    .keySet()
                    .removeIf(name -> name.startsWith("QUARKUS_") || name.startsWith("COUNTERSIGN_"));
            builder.environment().putAll(environment);
            return builder.start();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static ServiceProcess started(ServiceProcess service) {
        Runtime.getRuntime().addShutdownHook(new Thread(service.process::destroyForcibly));
        service.awaitStart();
        return service;
    }

    private static List<String> program(List<String> jvmOptions) {
        return program(jvmOptions, packaged());
    }

    private static List<String> program(List<String> jvmOptions, Path packaged) {
        if (!isJvm()) {
            return List.of(packaged.toString());
        }
        List<String> program = java(jvmOptions);
        // As the README and the image start it. A cache that a copy doesn't have is left out by the JVM.
        program.add("-XX:AOTCache=" + packaged.resolveSibling("app.aot"));
        program.addAll(List.of("-jar", packaged.toString()));
        return program;
    }

    private static List<String> java(List<String> jvmOptions) {
        List<String> java = new ArrayList<>(jvmOptions);
        java.addFirst(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        return java;
    }

    private void awaitStart() {
        Instant deadline = Instant.now().plus(START_WAIT);
        while (!answers()) {
            if (!process.isAlive() || Instant.now().isAfter(deadline)) {
                kill();
                throw new IllegalStateException("The service did not start; see " + log);
            }
            pause();
        }
    }

    private boolean answers() {
        return probe("/q/health/live") == 200;
    }

    private void awaitEnd() {
        try {
            if (!process.waitFor(30, TimeUnit.SECONDS)) {
                process.destroyForcibly();
            }
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
        }
    }

    private static void pause() {
        try {
            Thread.sleep(50);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /**
     * Below the ports that systems give to connections by themselves (from 32768 on Linux, 49152 elsewhere): of those,
     * one that is free now may be some client's by the time it is served on.
     */
    static int freePort() {
        while (true) {
            int port = ThreadLocalRandom.current().nextInt(10_000, 32_768);
            try (ServerSocket socket = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
                return socket.getLocalPort();
            } catch (BindException e) {
                // Somebody serves on it.
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    private static URI localhost(int port) {
        return URI.create("http://localhost:" + port);
    }

    /** For {@code countersign.challenge.keys}. */
    public static String randomKey() {
        byte[] key = new byte[32];
        new SecureRandom().nextBytes(key);
        return Base64.getEncoder().encodeToString(key);
    }
}
