package io.shadowkv.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.openqa.selenium.Keys;
import org.openqa.selenium.WebElement;

/// Whether everybody can use the page: widths, contrast, names for screen readers, the keyboard.
@BrowserTest
class PageAccessTest {
    /// Texts whose contrast to their ground is below 4.5, as WCAG 2 computes it. Disabled buttons are
    /// exempt.
    private static final String FAINT = """
            const channel = (v) => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
            const light = ([r, g, b]) =>
                0.2126 * channel(r / 255) + 0.7152 * channel(g / 255) + 0.0722 * channel(b / 255);
            const parse = (text) => {
                const n = text.match(/[\\d.]+/g).map(Number);
                return n.length < 4 ? [...n, 1] : n;
            };
            const over = (top, below) => [0, 1, 2].map((i) => top[i] * top[3] + below[i] * (1 - top[3]));
            const ground = (element) => {
                if (!element) { return parse(getComputedStyle(document.documentElement).backgroundColor); }
                const own = parse(getComputedStyle(element).backgroundColor);
                return own[3] === 1 ? own : over(own, ground(element.parentElement));
            };
            const faint = [];
            for (const element of document.body.querySelectorAll('*')) {
                const hasText = [...element.childNodes].some((n) => n.nodeType === 3 && n.data.trim());
                if (!hasText || !element.checkVisibility() || element.disabled || element.closest('noscript')) {
                    continue;
                }
                const below = ground(element);
                const own = over(parse(getComputedStyle(element).color), below);
                const [a, b] = [light(own), light(below)].sort((x, y) => y - x);
                const contrast = (a + 0.05) / (b + 0.05);
                if (!(contrast >= 4.5)) { faint.push(`${element.textContent.trim()}: ${contrast.toFixed(2)}`); }
            }
            return faint;
            """;

    /// What can be used or looked at and has no name.
    private static final String NAMELESS = """
            return [...document.querySelectorAll('button, input, textarea, a, canvas, [role=img], [role=progressbar],'
                + ' section, dialog, [role=log], ul')].filter((one) => {
                const by = (one.getAttribute('aria-labelledby') ?? '').split(' ')
                    .map((id) => document.getElementById(id)?.textContent ?? '').join('').trim();
                const label = one.getAttribute('aria-label') || by || one.textContent.trim()
                    || [...(one.labels ?? [])].map((l) => l.textContent).join('').trim();
                return !label && !one.parentElement.closest('[role=img]');
            }).map((one) => one.outerHTML);
            """;

    private static OpenPage page;
    private static TestServer server;
    private static Browser browser;

    @BeforeAll
    static void start(Browser shared) {
        browser = shared;
        page = OpenPage.start(ServerOptions.DEFAULT.withLimits(OpenPage.SHORT_ANSWERS), browser);
        server = page.server();
    }

    @AfterAll
    static void stop() {
        page.close();
    }

    @BeforeEach
    void open() {
        page.open();
    }

    @AfterEach
    void deleteAll() throws Exception {
        page.deleteAll();
    }

    private static String reachedByTab() {
        browser.focused().sendKeys(Keys.TAB);
        WebElement focused = browser.focused();
        String id = focused.getAttribute("id");
        return id == null || id.isEmpty() ? focused.getText() : id;
    }

    @Test
    void theKeyboardReachesEverythingInOrder() {
        List<String> reached = new ArrayList<>();
        browser.one("body").sendKeys(Keys.TAB);
        reached.add(browser.focused().getText());
        for (int i = 0; i < 7; i++) {
            reached.add(reachedByTab());
        }
        assertThat(reached)
                .containsExactly(
                        "Go to the question",
                        "key-open",
                        "choose",
                        "paste-open",
                        "example",
                        "question",
                        "follow",
                        "/metrics");

        // A dialog takes the focus, keeps it, and gives it back.
        browser.id("paste-open").sendKeys(Keys.ENTER);
        assertThat(browser.focused().getAttribute("id")).isEqualTo("paste-name");
        for (int i = 0; i < 6; i++) {
            browser.focused().sendKeys(Keys.TAB);
            assertThat((Boolean) browser.run("return document.activeElement === document.body"
                            + " || document.getElementById('paste-dialog').contains(document.activeElement)"))
                    .isTrue();
        }
        browser.id("paste-name").sendKeys(Keys.ESCAPE);
        assertThat(browser.focused().getAttribute("id")).isEqualTo("paste-open");
    }

    @Test
    void everythingHasAName() {
        assertThat((List<?>) browser.run(NAMELESS)).isEmpty();
        assertThat(browser.run("return document.documentElement.lang")).isEqualTo("en");
        assertThat(browser.run("return [...document.querySelectorAll('main h2')].map(h => h.textContent).join()"))
                .isEqualTo("Documents,Ask,Live");
        assertThat(browser.run("return document.querySelectorAll('[aria-live], [role=status], [role=alert]').length"))
                .as("regions that are read out")
                .isEqualTo(4L);
    }

    /// With a document, an answer and an error on the page.
    @ParameterizedTest
    @ValueSource(ints = {400, 800, 1600})
    void everyWidthFitsAndEveryTextCanBeRead(int width) throws Exception {
        server.post(
                "/v1/documents",
                "{\"id\":\"d" + width + "\",\"name\":\"" + "A-long-name-".repeat(12)
                        + "\",\"text\":\"The sky is blue. The grass is green.\"}");
        browser.show(width, false);
        browser.await("the document", () -> !browser.all("#list button.name").isEmpty());
        // In one call, because the list is drawn again when a document's state changes.
        browser.run("document.querySelector('#list button.name').click()");
        browser.id("question").sendKeys("The grass is green. The sky is", Keys.ENTER);
        browser.await(
                "an answer",
                () -> browser.all(".entry").size() == 1
                        && browser.all(".entry.busy").isEmpty());
        browser.run("const e = document.getElementById('documents-error'); e.hidden = false;"
                + " e.textContent = 'A message of some length that says what to do.';"
                + " const b = document.getElementById('banner'); b.hidden = false; b.textContent = 'A message.'");
        for (boolean isDark : new boolean[] {false, true}) {
            browser.show(width, isDark);
            assertThat(browser.run("return matchMedia('(prefers-color-scheme: dark)').matches"))
                    .isEqualTo(isDark);
            assertThat((List<?>) browser.run(FAINT)).as("dark: " + isDark).isEmpty();
            assertThat((Long) browser.run("return document.documentElement.scrollWidth"))
                    .isLessThanOrEqualTo(width);
            assertThat((List<?>) browser.run("return [...document.querySelectorAll('main *')].filter((one) =>"
                            + " one.checkVisibility() && !one.closest('.unseen')"
                            + " && one.getBoundingClientRect().right > " + width
                            + ").map((one) => one.outerHTML.slice(0, 80))"))
                    .isEmpty();
        }
        assertThat((List<?>) browser.run(NAMELESS)).isEmpty();
        assertThat(browser.complaints()).isEmpty();
    }

    /// The example works with one button and the Enter key.
    @Test
    void theExampleAsksItsQuestion() {
        browser.id("example").click();
        browser.await(
                "the question",
                () -> browser.id("question").getAttribute("value").startsWith("What is the special magic number"));
        assertThat(browser.focused().getAttribute("id")).isEqualTo("question");
        assertThat(browser.all("#list .chosen")).hasSize(1);
    }
}
