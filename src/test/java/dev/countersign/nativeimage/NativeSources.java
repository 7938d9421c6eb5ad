package dev.countersign.nativeimage;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.MissingNode;
import dev.countersign.support.ServiceProcess;
import io.quarkus.bootstrap.app.CuratedApplication;
import io.quarkus.bootstrap.app.QuarkusBootstrap;
import java.io.IOException;
import java.io.Reader;
import java.io.UncheckedIOException;
import java.lang.classfile.ClassFile;
import java.lang.classfile.constantpool.StringEntry;
import java.lang.classfile.constantpool.Utf8Entry;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

/** What a native build hands to GraalVM. Quarkus writes it without GraalVM. */
final class NativeSources {

    private static final Logger LOG = Logger.getLogger(NativeSources.class);

    private static final Path PROJECT = Path.of("").toAbsolutePath();
    private static final Path TARGET = PROJECT.resolve("target").resolve("native-image-it");

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String AT_RUN_TIME = "--initialize-at-run-time=";
    private static final String FEATURES = "--features=";
    private static final String STATIC_START = "io.quarkus.runner.ApplicationImpl";
    private static final Pattern NAME = Pattern.compile("[a-z]\\w*(\\.[\\w$]+)+");

    private static @Nullable NativeSources written;

    private final Path sources = TARGET.resolve("native-sources");
    private final List<String> arguments;
    private final FileSystem runner;
    private final Map<String, JsonNode> reflection = new HashMap<>();
    private final List<Pattern> resources = new ArrayList<>();
    private final Set<String> initializedAtRunTime = new HashSet<>();
    /** Extensions register these by code that runs while the image is built. */
    private final Set<String> namedByFeatures = new HashSet<>();

    private final List<FileSystem> jars = new ArrayList<>();
    private final Map<String, Set<String>> constantsByClass = new HashMap<>();

    private NativeSources() throws IOException {
        arguments =
                List.of(Files.readString(sources.resolve("native-image.args")).split(" "));
        runner = FileSystems.newFileSystem(sources.resolve("countersign-runner.jar"));
        jars.add(runner);
        for (Path library : list(sources.resolve("lib"))) {
            jars.add(FileSystems.newFileSystem(library));
        }
        for (FileSystem jar : jars) {
            readMetadata(jar);
        }
        // What Quarkus generates at packaging stands in a jar of its own, and in the runner of a native build.
        if (ServiceProcess.isJvm()) {
            jars.add(FileSystems.newFileSystem(Path.of("target", "quarkus-app", "quarkus", "generated-bytecode.jar")));
        }
        arguments.stream()
                .filter(argument -> argument.startsWith(AT_RUN_TIME))
                .forEach(argument -> addAtRunTime(argument.substring(AT_RUN_TIME.length())));
        readFeature();
        arguments.stream()
                .filter(argument -> argument.startsWith(FEATURES))
                .flatMap(argument ->
                        Stream.of(argument.substring(FEATURES.length()).split(",")))
                .forEach(feature -> namedByFeatures.addAll(constants(feature)));
    }

    private void readMetadata(FileSystem jar) throws IOException {
        Path metadata = jar.getPath("/META-INF/native-image");
        for (Path file : Files.exists(metadata) ? list(metadata) : List.<Path>of()) {
            // Netty's lists of handlers, which Quarkus excludes.
            if (file.toString().contains("/generated/handlers/")) {
                continue;
            }
            switch (file.getFileName().toString()) {
                case "reflect-config.json" ->
                    JSON.readTree(Files.readString(file))
                            .forEach(type ->
                                    reflection.putIfAbsent(type.path("name").asText(), type));
                case "resource-config.json" ->
                    JSON.readTree(Files.readString(file))
                            .path("resources")
                            .path("includes")
                            .forEach(include -> resources.add(
                                    Pattern.compile(include.path("pattern").asText())));
                case "native-image.properties" -> {
                    Properties properties = new Properties();
                    try (Reader reader = Files.newBufferedReader(file)) {
                        properties.load(reader);
                    }
                    Stream.of(properties.getProperty("Args", "").split("\\s+"))
                            .filter(argument -> argument.startsWith(AT_RUN_TIME))
                            .forEach(argument -> addAtRunTime(argument.substring(AT_RUN_TIME.length())));
                }
                default -> {}
            }
        }
    }

    private void addAtRunTime(String names) {
        initializedAtRunTime.addAll(List.of(names.split(",")));
    }

    /** The class with which Quarkus tells GraalVM what to initialise at run time: all its strings that name something. */
    private void readFeature() throws IOException {
        ClassFile.of()
                .parse(runner.getPath("/io/quarkus/runner/Feature.class"))
                .constantPool()
                .forEach(entry -> {
                    if (entry instanceof StringEntry text
                            && NAME.matcher(text.stringValue()).matches()) {
                        initializedAtRunTime.add(text.stringValue());
                    }
                });
    }

    private static List<Path> list(Path root) throws IOException {
        try (Stream<Path> files = Files.walk(root)) {
            return files.filter(Files::isRegularFile).toList();
        }
    }

    /** They take some time, so all tests share them. */
    static synchronized NativeSources written() {
        if (written == null) {
            try {
                long started = System.nanoTime();
                write();
                written = new NativeSources();
                LOG.infof(
                        "Native sources in %d s: %d types for reflection, %d patterns of resources",
                        Duration.ofNanos(System.nanoTime() - started).toSeconds(),
                        written.reflection.size(),
                        written.resources.size());
            } catch (Exception e) {
                throw new IllegalStateException("Quarkus could not write the native sources", e);
            }
        }
        return written;
    }

    private static void write() throws Exception {
        Properties settings = new Properties();
        settings.setProperty("quarkus.native.enabled", "true");
        settings.setProperty("quarkus.native.sources-only", "true");
        settings.setProperty("quarkus.package.jar.enabled", "false");
        try (CuratedApplication application = QuarkusBootstrap.builder()
                .setApplicationRoot(PROJECT.resolve("target").resolve("classes"))
                .setProjectRoot(PROJECT)
                .setTargetDirectory(Files.createDirectories(TARGET))
                .setBaseName("countersign")
                .setMode(QuarkusBootstrap.Mode.PROD)
                .setLocalProjectDiscovery(true)
                .setIsolateDeployment(true)
                .setBuildSystemProperties(settings)
                .build()
                .bootstrap()) {
            application.createAugmentor().createProductionApplication();
        }
    }

    List<String> arguments() {
        return arguments;
    }

    /** The application's jar. */
    FileSystem runner() {
        return runner;
    }

    Path libraries() {
        return sources.resolve("lib");
    }

    /** What is registered for reflection, by the names of types. */
    Map<String, JsonNode> reflection() {
        return reflection;
    }

    /** What is registered of a type; a missing node when nothing is. */
    JsonNode reflection(String type) {
        return reflection.getOrDefault(type, MissingNode.getInstance());
    }

    /**
     * Whether it would be made when the image runs. Static initialisers run while the image is built, Quarkus' own static
     * start among them, but for those of the classes that are initialised at run time.
     */
    boolean isMadeByTheImage(LookUp lookUp) {
        return !lookUp.initializers().contains(STATIC_START)
                && lookUp.initializers().stream().allMatch(this::isInitializedAtRunTime);
    }

    private boolean isInitializedAtRunTime(String type) {
        return initializedAtRunTime.stream()
                .anyMatch(name -> type.equals(name) || type.startsWith(name + ".") || type.startsWith(name + "$"));
    }

    /**
     * Whether an image finds it: because it is registered, or because the calling class has the name among its constants,
     * which GraalVM sees.
     */
    boolean isRegistered(LookUp lookUp) {
        return switch (lookUp.kind()) {
            case "type" ->
                reflection.containsKey(lookUp.name())
                        || namedByFeatures.contains(lookUp.name())
                        || names(lookUp.callingClass(), lookUp.name());
            case "method", "field", "handle" -> hasMember(lookUp);
            case "resource" -> hasResource(lookUp.name());
            case "service" -> hasResource("META-INF/services/" + lookUp.name()) || !isProvided(lookUp.name());
            case "getMethods", "getDeclaredMethods" -> hasAll("Methods", lookUp.name());
            case "getConstructors", "getDeclaredConstructors" -> hasAll("Constructors", lookUp.name());
            case "getFields", "getDeclaredFields" -> hasAll("Fields", lookUp.name());
            default -> false;
        };
    }

    private boolean hasAll(String members, String type) {
        return Stream.of("allDeclared", "allPublic", "queryAllDeclared", "queryAllPublic")
                .anyMatch(kind -> reflection(type).path(kind + members).asBoolean());
    }

    private boolean hasMember(LookUp lookUp) {
        String[] names = lookUp.name().split("#", -1);
        String member = names[2];
        String members =
                member.equals("<init>") ? "Constructors" : lookUp.kind().equals("field") ? "Fields" : "Methods";
        return namedByFeatures.contains(names[1])
                || Stream.of(names[0], names[1])
                        .anyMatch(type -> hasAll(members, type)
                                || reflection(type).findValuesAsText("name").contains(member))
                || (names(lookUp.callingClass(), names[1])
                        && (member.equals("<init>") || names(lookUp.callingClass(), member)));
    }

    private boolean isProvided(String service) {
        return jars.stream().anyMatch(jar -> Files.exists(jar.getPath("/META-INF/services", service)));
    }

    /** Whether the class has the name among its constants, as a string or as a class. */
    private boolean names(String type, String name) {
        Set<String> constants = constantsByClass.computeIfAbsent(type, this::constants);
        return constants.contains(name) || constants.contains(name.replace('.', '/'));
    }

    private Set<String> constants(String type) {
        String file = "/" + type.replace('.', '/') + ".class";
        for (FileSystem jar : jars) {
            Path bytes = jar.getPath(file);
            if (Files.exists(bytes)) {
                try {
                    Set<String> constants = new HashSet<>();
                    ClassFile.of().parse(bytes).constantPool().forEach(entry -> {
                        if (entry instanceof Utf8Entry text) {
                            constants.add(text.stringValue());
                        }
                    });
                    return constants;
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            }
        }
        return Set.of();
    }

    boolean hasResource(String name) {
        return resources.stream().anyMatch(pattern -> pattern.matcher(name).matches());
    }
}
