package dev.countersign.support;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.openqa.selenium.chrome.ChromeDriver;
import org.openqa.selenium.chrome.ChromeDriverService;
import org.openqa.selenium.chrome.ChromeOptions;

/** A browser without a window, which fetches nothing but what the test opens. */
public final class Browser {

    private Browser() {}

    /** Opens one; where none is installed, the test is skipped. */
    public static ChromeDriver orSkip() throws IOException {
        Program chromium = Program.orSkip("chromium", "--version");
        // Named, for Selenium would download one otherwise.
        Program driver = Program.orSkip("chromedriver", "--version");
        ChromeOptions options = new ChromeOptions();
        options.setBinary(chromium.executable().toFile());
        options.addArguments(
                "--headless",
                // Its sandbox refuses root, and a container has little shared memory; builds run there as that.
                "--no-sandbox",
                "--disable-dev-shm-usage",
                "--disable-gpu",
                "--disable-quic",
                "--no-first-run",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
                "--no-proxy-server",
                "--window-size=1200,2000",
                "--user-data-dir=" + Files.createTempDirectory(Path.of("target").toAbsolutePath(), "chromium"));
        return new ChromeDriver(
                new ChromeDriverService.Builder()
                        .usingDriverExecutable(driver.executable().toFile())
                        .usingAnyFreePort()
                        .build(),
                options);
    }
}
