package dev.countersign.support;

import static java.util.concurrent.TimeUnit.MINUTES;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;

/** A program of this machine that a test drives. */
public record Program(Path executable) {

    /** The first of that name that accepts the arguments; where there is none, the test is skipped. */
    public static Program orSkip(String name, String... arguments) {
        // The system's own come first: a version manager may put one in front of them that lacks what the test needs.
        return Stream.concat(
                        Stream.of("/usr/bin"), Stream.of(System.getenv("PATH").split(File.pathSeparator)))
                .map(directory -> Path.of(directory, name))
                .filter(Files::isExecutable)
                .map(Program::new)
                .filter(program -> program.run(Map.of(), arguments).exit() == 0)
                .findFirst()
                .orElseGet(() -> Assumptions.abort("No program answers to '" + name + " " + String.join(" ", arguments)
                        + "'; .ci/run shows what to install"));
    }

    public Run run(Map<String, String> environment, String... arguments) {
        List<String> command = new ArrayList<>(List.of(executable.toString()));
        command.addAll(List.of(arguments));
        try {
            // Files and not pipes, which fill up unless somebody reads both at once.
            Path out = Files.createTempFile("countersign-test", ".out");
            Path err = Files.createTempFile("countersign-test", ".err");
            try {
                return new Run(exit(command, environment, out, err), Files.readString(out), Files.readString(err));
            } finally {
                Files.delete(out);
                Files.delete(err);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static int exit(List<String> command, Map<String, String> environment, Path out, Path err)
            throws IOException {
        ProcessBuilder builder =
                new ProcessBuilder(command).redirectOutput(out.toFile()).redirectError(err.toFile());
        builder.environment().keySet().removeIf(name -> name.startsWith("AWS_"));
        builder.environment().putAll(environment);
        Process process = builder.start();
        try {
            assertThat(process.waitFor(2, MINUTES)).as("%s ends", command).isTrue();
            return process.exitValue();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        } finally {
            process.destroyForcibly();
        }
    }

    /** What came of it. */
    public record Run(int exit, String out, String err) {

        /** What it printed, provided that it succeeded. */
        public String output() {
            assertThat(exit).as(toString()).isZero();
            return out;
        }
    }
}
