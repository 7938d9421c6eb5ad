package dev.countersign.fault;

import dev.countersign.support.Program;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/** A disk so small that a test can fill it. */
final class SmallDisk implements AutoCloseable {

    private static final byte[] BLOCK = new byte[4096];

    private final Program umount;
    private final Path mount;

    private SmallDisk(Program umount, Path mount) {
        this.umount = umount;
        this.mount = mount;
    }

    /** Mounts one, which takes root; where that is not allowed, the test is skipped. */
    static SmallDisk orSkip(int mebibytes) throws IOException {
        Path mount = Files.createTempDirectory("countersign-small-disk");
        Program.orSkip("mount", "-t", "tmpfs", "-o", "size=" + mebibytes + "m", "tmpfs", mount.toString());
        return new SmallDisk(Program.orSkip("umount", "--version"), mount);
    }

    Path directory() {
        return mount.resolve("data");
    }

    /** Until nothing more can be written, by anybody. */
    void fill() {
        try (OutputStream ballast = Files.newOutputStream(ballast())) {
            while (mount.toFile().getUsableSpace() > 0) {
                ballast.write(BLOCK);
            }
        } catch (IOException e) {
            // Full, as it was to be.
        }
    }

    void makeRoom() {
        try {
            Files.delete(ballast());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private Path ballast() {
        return mount.resolve("ballast");
    }

    @Override
    public void close() throws IOException {
        umount.run(Map.of(), mount.toString()).output();
        Files.delete(mount);
    }
}
