package dev.countersign.kubernetes;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import dev.countersign.support.ClusterTools;
import dev.countersign.support.Program;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Runs the steps of release.yml that name, push, write and publish, in a clean clone, for a repository that doesn't exist.
 * Docker and GitHub's CLI only write down what they are asked; the manifests are those that this build's Quarkus wrote.
 */
class ReleaseIT {

    private static final String DIGEST = "sha256:" + "0123456789abcdef".repeat(4);
    private static final String IMAGE = "ghcr.io/made-up/some.repository";
    private static final Pattern IMAGE_LINE = Pattern.compile("(?m)^ *image: (\\S+)$");

    @TempDir
    static Path directory;

    private static Path clone;
    private static JsonNode jobs;
    private static String version;
    private static List<String> asked;

    @BeforeAll
    static void release() throws IOException {
        clone = directory.resolve("clone");
        Program git = Program.orSkip("git", "rev-parse", "--is-inside-work-tree");
        List<String> files = git.run(Map.of(), "ls-files", "-z", "--cached", "--others", "--exclude-standard")
                .output()
                .lines()
                .flatMap(line -> Stream.of(line.split("\0")))
                .filter(file -> Files.isRegularFile(Path.of(file)))
                .toList();
        for (String file : files) {
            copy(Path.of(file));
        }
        copy(Path.of("target/kubernetes/kubernetes.yml"));
        try (Stream<Path> built = Files.list(Path.of("target"))) {
            for (Path list : built.filter(file -> file.toString().endsWith("-cyclonedx.json"))
                    .toList()) {
                copy(list);
            }
        }
        jobs = new ObjectMapper(new YAMLFactory())
                .readTree(Path.of(".github/workflows/release.yml").toFile())
                .path("jobs");
        version = new ObjectMapper(new YAMLFactory())
                .readTree(Variant.CHART.resolve("Chart.yaml").toFile())
                .path("version")
                .asText();
        Path programs = Files.createDirectories(directory.resolve("programs"));
        pretend(programs.resolve("docker"), "case \"$*\" in *' inspect '*) echo " + DIGEST + ";; esac");
        pretend(programs.resolve("gh"), "true");
        Files.createSymbolicLink(
                programs.resolve("helm"), ClusterTools.helm().executable().toAbsolutePath());

        Map<String, String> environment = new HashMap<>(Map.of(
                "PATH",
                programs + ":" + System.getenv("PATH"),
                "GITHUB_REPOSITORY",
                "Made-Up/Some.Repository",
                "GITHUB_SERVER_URL",
                "https://github.com",
                "GITHUB_REF_NAME",
                "v" + version,
                "GITHUB_SHA",
                "0".repeat(40),
                "GITHUB_ACTOR",
                "nobody",
                "GITHUB_OUTPUT",
                directory.resolve("output").toString(),
                "TOKEN",
                "none"));
        for (String architecture : List.of("amd64", "arm64")) {
            run("image", List.of("name", "build", "push"), environment, Map.of("ARCH", architecture));
        }
        run("publish", List.of("name", "join", "manifests", "assets", "publish"), environment, Map.of());
        asked = Files.readAllLines(directory.resolve("asked"));
    }

    @Test
    void bothArchitecturesArePushedAndJoined() {
        assertThat(jobs.at("/image/strategy/matrix/include").findValuesAsText("arch"))
                .containsExactly("amd64", "arm64");
        String tag = IMAGE + ":" + version;
        assertThat(asked)
                .contains("docker push " + tag + "-amd64", "docker push " + tag + "-arm64")
                .contains("docker buildx imagetools create --tag " + tag + " " + tag + "-amd64 " + tag + "-arm64");
    }

    @Test
    void everythingNamesTheImageThatIsPushedByItsDigest() throws IOException {
        Path assets = clone.resolve("assets");
        Program tar = Program.orSkip("tar", "--version");
        Path unpacked = Files.createDirectories(directory.resolve("unpacked"));
        for (String archive : List.of("countersign-%s-kustomize.tar.gz", "countersign-%s.tgz")) {
            tar.run(Map.of(), "xzf", assets.resolve(archive.formatted(version)).toString(), "-C", unpacked.toString())
                    .output();
        }
        Map<String, String> rendered = Map.of(
                "kubernetes.yml", Files.readString(assets.resolve("kubernetes.yml")),
                "kustomize", Variant.kustomize(unpacked.resolve("examples").resolve("existing-database")),
                "chart",
                        ClusterTools.helm()
                                .run(
                                        Map.of(),
                                        "template",
                                        unpacked.resolve("countersign").toString())
                                .output());
        rendered.forEach(
                (name, manifests) -> assertThat(IMAGE_LINE.matcher(manifests).results())
                        .as(name)
                        .extracting(found -> found.group(1))
                        .containsExactly(IMAGE + "@" + DIGEST, IMAGE + "@" + DIGEST));
        assertThat(IMAGE_LINE
                        .matcher(Files.readString(assets.resolve("compose.yaml")))
                        .results())
                .extracting((MatchResult found) -> found.group(1))
                .contains(IMAGE + "@" + DIGEST)
                .hasSize(2);
    }

    @Test
    void assetsAreWhatIsNeededAndHaveChecksums() throws IOException {
        Path assets = clone.resolve("assets");
        TreeSet<String> names = new TreeSet<>();
        try (Stream<Path> files = Files.list(assets)) {
            files.map(file -> file.getFileName().toString()).forEach(names::add);
        }
        assertThat(names)
                .contains(
                        "openapi.yaml",
                        "countersign-service-model.json",
                        "kubernetes.yml",
                        "compose.yaml",
                        "LICENSE",
                        "SHA256SUMS")
                .anyMatch(name -> name.endsWith("-cyclonedx.json"));
        List<String> sums = Files.readAllLines(assets.resolve("SHA256SUMS"));
        names.remove("SHA256SUMS");
        assertThat(sums).extracting(line -> line.substring(66)).containsExactlyInAnyOrderElementsOf(names);
        assertThat(asked)
                .filteredOn(line -> line.startsWith("gh release create"))
                .hasSize(1);
        assertThat(asked.getLast()).contains("assets/openapi.yaml", "assets/SHA256SUMS");
    }

    /** The signatures are for the digest that the manifests name, and come before anything is published. */
    @Test
    void imageAndAssetsAreAttestedBeforeTheyArePublished() {
        List<JsonNode> steps = new ArrayList<>();
        jobs.at("/publish/steps").forEach(steps::add);
        assertThat(steps.getLast().path("id").asText()).isEqualTo("publish");
        assertThat(steps)
                .filteredOn(step -> step.path("uses").asText().startsWith("actions/attest-"))
                .hasSize(3)
                .filteredOn(step -> step.path("with").has("subject-name"))
                .hasSize(2)
                .allSatisfy(step -> {
                    assertThat(step.at("/with/subject-name").asText()).contains("steps.join.outputs.image");
                    assertThat(step.at("/with/subject-digest").asText()).contains("steps.join.outputs.digest");
                });
        assertThat(directory.resolve("output"))
                .content()
                .contains("image=" + IMAGE + "\n")
                .contains("digest=" + DIGEST + "\n");
        assertThat(clone.resolve("target/countersign-%s-cyclonedx.json".formatted(version)))
                .exists();
    }

    @Test
    void whatIsPushedWasSeenToCreateAndRedeem() {
        for (String job : List.of("image", "publish")) {
            assertThat(jobs.path(job).path("steps"))
                    .anyMatch(step -> step.path("run").asText().contains("docker compose")
                            && step.path("run").asText().contains("deploy/smoke"));
        }
    }

    private static void run(
            String job, List<String> steps, Map<String, String> environment, Map<String, String> ofTheJob)
            throws IOException {
        Path added = directory.resolve(job + ofTheJob.values());
        Map<String, String> variables = new HashMap<>(environment);
        variables.putAll(ofTheJob);
        variables.put("GITHUB_ENV", added.toString());
        for (String id : steps) {
            List<JsonNode> found = new ArrayList<>();
            jobs.path(job).path("steps").forEach(step -> {
                if (step.path("id").asText().equals(id)) {
                    found.add(step);
                }
            });
            assertThat(found).as(job + " " + id).hasSize(1);
            // The build before this test has packaged; the rest of that phase is what this is about.
            String script = found.getFirst()
                    .path("run")
                    .asText()
                    .replaceFirst("-DskipTests (.*) package\\s*$", "--quiet --offline $1 antrun:run@deploy");
            if (Files.exists(added)) {
                Files.readAllLines(added).forEach(line -> {
                    String[] variable = line.split("=", 2);
                    variables.put(variable[0], variable[1]);
                });
            }
            Program.orSkip("bash", "--version")
                    .run(variables, "-euo", "pipefail", "-c", "cd '" + clone + "'\n" + script)
                    .output();
        }
    }

    /** Writes down its arguments, and answers what the script says. */
    private static void pretend(Path program, String script) throws IOException {
        Files.writeString(program, """
                #!/bin/sh
                echo "$(basename "$0") $*" >> '%s'
                %s
                """.formatted(directory.resolve("asked"), script));
        Files.setPosixFilePermissions(program, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    private static void copy(Path file) throws IOException {
        Path copy = clone.resolve(file);
        Files.createDirectories(copy.getParent());
        Files.copy(file, copy);
        if (Files.isExecutable(file)) {
            Files.setPosixFilePermissions(copy, Files.getPosixFilePermissions(file));
        }
    }
}
