package io.shadowkv.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.logging.Level;
import java.util.stream.Stream;
import org.openqa.selenium.By;
import org.openqa.selenium.StaleElementReferenceException;
import org.openqa.selenium.WebElement;
import org.openqa.selenium.chrome.ChromeDriver;
import org.openqa.selenium.chrome.ChromeDriverService;
import org.openqa.selenium.chrome.ChromeOptions;
import org.openqa.selenium.logging.LogEntry;
import org.openqa.selenium.logging.LogType;
import org.openqa.selenium.logging.LoggingPreferences;

/// A Chromium without a window, with one tab. It notes what the page's policy forbids.
final class Browser implements AutoCloseable {
    private static final long PATIENCE_NANOS = Duration.ofMinutes(4).toNanos();
    private static final long LOOK_MILLIS = 40;

    private final ChromeDriver driver;

    private Browser(ChromeDriver driver) {
        this.driver = driver;
    }

    /// @throws AssertionError if there is no browser, with what to install
    static Browser start() {
        Path chromium = program("chromium", "chromium-browser", "google-chrome", "google-chrome-stable");
        Path server = program("chromedriver");
        ChromeOptions options = new ChromeOptions();
        options.setBinary(chromium.toFile());
        // The sandbox does not work for root and in many containers. The page is our own.
        options.addArguments("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage");
        LoggingPreferences logs = new LoggingPreferences();
        logs.enable(LogType.BROWSER, Level.ALL);
        options.setCapability("goog:loggingPrefs", logs);
        ChromeDriver driver = new ChromeDriver(
                new ChromeDriverService.Builder()
                        .usingDriverExecutable(server.toFile())
                        .usingAnyFreePort()
                        .build(),
                options);
        driver.executeCdpCommand(
                "Page.addScriptToEvaluateOnNewDocument",
                Map.of(
                        "source",
                        "window.violations = [];"
                                + "addEventListener('securitypolicyviolation', e => violations.push(e.violatedDirective));"));
        return new Browser(driver);
    }

    private static Path program(String... names) {
        List<String> folders = Arrays.asList(System.getenv("PATH").split(File.pathSeparator));
        return Stream.of(names)
                .flatMap(name -> folders.stream().map(folder -> Path.of(folder, name)))
                .filter(Files::isExecutable)
                .findFirst()
                .orElseThrow(() -> new AssertionError("no " + String.join(" or ", names)
                        + " on PATH; the tests of the page need it. Install the packages chromium and"
                        + " chromium-driver, or leave the profile \"browser\" out"));
    }

    /// Leaves the page, which ends its requests, and forgets what the console shows.
    void clear() {
        driver.get("about:blank");
        driver.manage().logs().get(LogType.BROWSER);
    }

    void open(String url) {
        driver.get(url);
    }

    WebElement id(String id) {
        return driver.findElement(By.id(id));
    }

    List<WebElement> all(String selector) {
        return driver.findElements(By.cssSelector(selector));
    }

    WebElement one(String selector) {
        return driver.findElement(By.cssSelector(selector));
    }

    WebElement focused() {
        return driver.switchTo().activeElement();
    }

    Object run(String script, Object... arguments) {
        return driver.executeScript(script, arguments);
    }

    /// Lets the page itself click the first element of `selector` as soon as `sign` is there: a click by the driver
    /// can come too late for what soon goes by itself.
    ///
    /// @param sign text of an element of `place`
    void clickOnSign(String place, String sign, String selector) {
        run("""
                const [place, sign, selector] = arguments;
                const observer = new MutationObserver(() => {
                    if ([...document.querySelectorAll(place)].some((one) => one.textContent.includes(sign))) {
                        observer.disconnect();
                        document.querySelector(selector).click();
                    }
                });
                observer.observe(document.body, { characterData: true, childList: true, subtree: true });""", place, sign, selector);
    }

    void reload() {
        driver.navigate().refresh();
    }

    /// Condition of a page, which may be drawn anew meanwhile.
    @FunctionalInterface
    interface Condition {
        boolean holds();
    }

    /// Waits until a condition holds.
    void await(String what, Condition condition) {
        long end = System.nanoTime() + PATIENCE_NANOS;
        while (!holds(condition)) {
            if (System.nanoTime() > end) {
                throw new AssertionError("waited in vain: " + what + "; the page shows\n"
                        + one("body").getText());
            }
            try {
                Thread.sleep(LOOK_MILLIS);
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        }
    }

    private static boolean holds(Condition condition) {
        try {
            return condition.holds();
        } catch (StaleElementReferenceException e) {
            return false;
        }
    }

    void awaitText(String id, String text) {
        await("#" + id + " shows \"" + text + "\"", () -> id(id).getText().contains(text));
    }

    /// Sets the width of the page and the colours that the user prefers.
    void show(int width, boolean isDark) {
        driver.executeCdpCommand(
                "Emulation.setDeviceMetricsOverride",
                Map.of("width", width, "height", 900, "deviceScaleFactor", 1, "mobile", false));
        driver.executeCdpCommand(
                "Emulation.setEmulatedMedia",
                Map.of(
                        "features",
                        List.of(Map.of("name", "prefers-color-scheme", "value", isDark ? "dark" : "light"))));
    }

    /// Everything that the console shows, and what the policy forbade, since the last call.
    List<String> complaints() {
        List<String> console = driver.manage().logs().get(LogType.BROWSER).getAll().stream()
                .map(LogEntry::getMessage)
                .toList();
        assertThat((List<?>) run("return window.violations"))
                .as("content-security policy")
                .isEmpty();
        return console;
    }

    @Override
    public void close() {
        driver.quit();
    }
}
