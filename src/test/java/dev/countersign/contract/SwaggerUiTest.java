package dev.countersign.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.openqa.selenium.support.ui.ExpectedConditions.elementToBeClickable;
import static org.openqa.selenium.support.ui.ExpectedConditions.visibilityOfElementLocated;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.countersign.support.Browser;
import dev.countersign.support.Callers;
import dev.countersign.support.ServiceTest;
import dev.countersign.support.TestDatabase;
import io.quarkus.test.junit.DisabledOnIntegrationTest;
import io.quarkus.test.junit.QuarkusTest;
import io.restassured.RestAssured;
import java.io.IOException;
import java.io.OutputStream;
import java.net.HttpURLConnection;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.openqa.selenium.By;
import org.openqa.selenium.Keys;
import org.openqa.selenium.WebElement;
import org.openqa.selenium.chrome.ChromeDriver;
import org.openqa.selenium.support.ui.WebDriverWait;

/** "Try it out" in Swagger UI does so; skipped where no browser is installed. */
@QuarkusTest
class SwaggerUiTest extends ServiceTest {

    private static ChromeDriver browser;

    @BeforeAll
    static void start() throws IOException {
        browser = Browser.orSkip();
    }

    /** As a person meets it who was never there. */
    @BeforeEach
    void open() {
        browser.get("http://localhost:" + RestAssured.port + "/q/swagger-ui");
        browser.executeScript("localStorage.clear()");
        browser.navigate().refresh();
    }

    @AfterAll
    static void quit() {
        if (browser != null) {
            browser.quit();
        }
    }

    @Test
    @DisabledOnIntegrationTest("in production nobody is let in without credentials")
    void developerNeedsNoAuthorization() throws IOException {
        assertThat(tryOut("CreateToken", Map.of("appId", "demo"))
                        .path("challengeCode")
                        .asText())
                .hasSize(43);
    }

    @Test
    void authorizedCallerCreatesATokenAndReadsIt() throws IOException {
        authorize();
        JsonNode created = tryOut("CreateToken", Map.of("appId", "demo"));
        assertThat(created.path("challengeCode").asText()).hasSize(43);

        String session = created.path("sessionId").asText();
        assertThat(tryOut("GetToken", Map.of("appId", "demo", "sessionId", session)))
                .isEqualTo(created);
        assertThat(TestDatabase.query("SELECT issued_to FROM challenge_session WHERE session_id = '" + session + "'"))
                .containsExactly(Callers.TESTER);
    }

    @Test
    void keepsTheAuthorizationWhenThePageIsLoadedAgain() throws IOException {
        authorize();
        browser.navigate().refresh();
        String session =
                tryOut("CreateToken", Map.of("appId", "demo")).path("sessionId").asText();
        assertThat(TestDatabase.query("SELECT issued_to FROM challenge_session WHERE session_id = '" + session + "'"))
                .containsExactly(Callers.TESTER);
    }

    @Test
    void preflightsComeLast() {
        appearing("#operations-Challenge-CreateToken");
        for (WebElement tag : browser.findElements(By.cssSelector(".opblock-tag-section"))) {
            List<String> methods = tag.findElements(By.cssSelector(".opblock-summary-method")).stream()
                    .map(WebElement::getText)
                    .toList();
            assertThat(methods).contains("OPTIONS");
            assertThat(methods.subList(methods.indexOf("OPTIONS"), methods.size()))
                    .containsOnly("OPTIONS");
        }
    }

    @Test
    void asksNoValidatorElsewhere() {
        appearing("#operations-Challenge-CreateToken");
        assertThat(browser.getPageSource()).containsPattern("validatorUrl: *[\"']none[\"']");
    }

    @Test
    void rootLeadsToIt() {
        browser.get("http://localhost:" + RestAssured.port + "/");
        assertThat(browser.getCurrentUrl()).endsWith("/q/swagger-ui/");
    }

    @Test
    void loadsBehindAProxyThatTakesAPrefixAway() throws IOException {
        HttpServer proxy = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        proxy.createContext("/tokens/", SwaggerUiTest::forward);
        proxy.start();
        try {
            browser.get("http://localhost:" + proxy.getAddress().getPort() + "/tokens/q/swagger-ui/");
            assertThat(appearing("#operations-Challenge-CreateToken").isDisplayed())
                    .isTrue();
        } finally {
            proxy.stop(0);
        }
    }

    private static void forward(HttpExchange exchange) throws IOException {
        String path = exchange.getRequestURI().getPath().substring("/tokens".length());
        HttpURLConnection service = (HttpURLConnection) URI.create("http://localhost:" + RestAssured.port + path)
                .toURL()
                .openConnection();
        int status = service.getResponseCode();
        byte[] body = status < 400 ? service.getInputStream().readAllBytes() : new byte[0];
        exchange.getResponseHeaders().set("Content-Type", String.valueOf(service.getContentType()));
        exchange.sendResponseHeaders(status, body.length == 0 ? -1 : body.length);
        try (OutputStream out = exchange.getResponseBody()) {
            out.write(body);
        }
    }

    private void authorize() {
        click(".btn.authorize");
        appearing("#auth-bearer-value").sendKeys(Callers.bearer().substring("Bearer ".length()));
        click(".auth-container:has(#auth-bearer-value) .btn.authorize");
        click(".modal-ux .close-modal");
    }

    /** The body of the reply, which must be a 200. */
    private JsonNode tryOut(String operation, Map<String, String> parameters) throws IOException {
        String block = "#operations-Challenge-" + operation;
        click(block + " .opblock-summary-control");
        click(block + " .try-out__btn");
        parameters.forEach((name, value) -> type(block + " tr[data-param-name=" + name + "] input", value));
        click(block + " .execute");
        String reply = block + " .live-responses-table .response";
        assertThat(appearing(reply + " .response-col_status").getText()).isEqualTo("200");
        return new ObjectMapper()
                .readTree(appearing(reply + " .highlight-code code").getText());
    }

    private void click(String element) {
        patience().until(elementToBeClickable(By.cssSelector(element))).click();
    }

    private void type(String element, String text) {
        // Over the example that stands there.
        appearing(element).sendKeys(Keys.chord(Keys.CONTROL, "a"), text);
    }

    private WebElement appearing(String element) {
        return patience().until(visibilityOfElementLocated(By.cssSelector(element)));
    }

    private WebDriverWait patience() {
        return new WebDriverWait(browser, Duration.ofSeconds(30));
    }
}
