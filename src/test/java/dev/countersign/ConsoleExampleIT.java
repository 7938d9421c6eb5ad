package dev.countersign;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.openqa.selenium.support.ui.ExpectedConditions.elementToBeClickable;
import static org.openqa.selenium.support.ui.ExpectedConditions.visibilityOfElementLocated;

import dev.countersign.support.AwsCredentials;
import dev.countersign.support.Browser;
import dev.countersign.support.Callers;
import dev.countersign.support.Program;
import dev.countersign.support.ServiceTest;
import io.quarkus.test.junit.QuarkusIntegrationTest;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.openqa.selenium.By;
import org.openqa.selenium.OutputType;
import org.openqa.selenium.WebElement;
import org.openqa.selenium.chrome.ChromeDriver;
import org.openqa.selenium.support.ui.WebDriverWait;

/** {@code examples/console} in a browser; skipped where there is no browser or no Node.js. Leaves screenshots in target/. */
@QuarkusIntegrationTest
class ConsoleExampleIT extends ServiceTest {

    private static final Path EXAMPLE = Path.of("examples", "console");
    private static final String OPERATOR = "ann.o'neill@example.com";

    private final List<Process> programs = new ArrayList<>();
    private ChromeDriver browser;
    private String site;

    @BeforeEach
    void start() throws IOException {
        browser = Browser.orSkip();
        site = firstLine(node("server.mjs")).replace("Open ", "").replace("/console", "");
    }

    @AfterEach
    void stop() {
        programs.forEach(Process::destroyForcibly);
        if (browser != null) {
            browser.quit();
        }
    }

    @Test
    void linkOfTheConsoleSignsInOnce() throws IOException {
        browser.get(site + "/console");
        browser.findElement(By.tagName("button")).click();
        String link = await(By.id("link")).getAttribute("href");
        screenshot("console");
        signIn(link);
        assertThat(browser.findElement(By.tagName("body")).getText()).contains("You are signed in as " + OPERATOR);
        screenshot("signed-in");

        browser.get("about:blank");
        browser.manage().deleteAllCookies();
        browser.get(link);
        await(By.id("sign-in")).click();
        new WebDriverWait(browser, Duration.ofSeconds(10))
                .until(page -> page.findElement(By.id("result")).getText().contains("used or is too old"));
        screenshot("used");
    }

    @Test
    void commandWaitsUntilTheCodeIsRedeemed() throws Exception {
        Process command = node("cli.mjs", "--print");
        BufferedReader output = reader(command);
        signIn(output.readLine().replace("Open ", ""));
        assertThat(command.waitFor(20, SECONDS)).isTrue();
        assertThat(output.readLine()).isEqualTo("REDEEMED");
        assertThat(command.exitValue()).isZero();
    }

    /** The page shows a button, and the address bar no code. */
    private void signIn(String link) throws IOException {
        browser.get(link);
        await(By.id("sign-in"));
        assertThat(browser.getCurrentUrl()).isEqualTo(site + "/sign-in");
        screenshot("sign-in");
        await(By.id("sign-in")).click();
        new WebDriverWait(browser, Duration.ofSeconds(10)).until(visibilityOfElementLocated(By.tagName("b")));
    }

    private WebElement await(By element) {
        return new WebDriverWait(browser, Duration.ofSeconds(10)).until(elementToBeClickable(element));
    }

    private void screenshot(String name) throws IOException {
        Path directory = Files.createDirectories(Path.of("target", "screenshots"));
        Files.write(directory.resolve(name + ".png"), browser.getScreenshotAs(OutputType.BYTES));
    }

    private Process node(String script, String... arguments) throws IOException {
        List<String> command = new ArrayList<>(List.of(
                Program.orSkip("node", "--version").executable().toString(),
                EXAMPLE.resolve(script).toString()));
        command.addAll(List.of(arguments));
        ProcessBuilder builder = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT);
        String token = Callers.token();
        builder.environment().put("COUNTERSIGN_ENDPOINT", AwsCredentials.endpoint());
        builder.environment().put("CONSOLE_TOKEN", token);
        builder.environment().put("BACKEND_TOKEN", token);
        builder.environment().put("OPERATOR", OPERATOR);
        builder.environment().put("PORT", "0");
        if (site != null) {
            builder.environment().put("SITE", site);
        }
        Process program = builder.start();
        programs.add(program);
        return program;
    }

    private static String firstLine(Process program) throws IOException {
        return reader(program).readLine();
    }

    private static BufferedReader reader(Process program) {
        return new BufferedReader(new InputStreamReader(program.getInputStream(), UTF_8));
    }
}
