package io.shadowkv.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.openqa.selenium.Keys;
import org.openqa.selenium.WebElement;

/// The page in a browser: a text is read, questions are answered, documents are saved, loaded and
/// deleted, and refusals are shown.
@BrowserTest
class PageTest {
    private static final String TOO_LONG = "The grass is green. ".repeat(9_000);

    @TempDir
    private static Path folder;

    private static OpenPage page;
    private static TestServer server;
    private static Browser browser;

    @BeforeAll
    static void start(Browser shared) {
        browser = shared;
        page = OpenPage.start(ServerOptions.DEFAULT.withDocumentFolder(folder.resolve("documents")), browser);
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

    private static Path file(String name, String text) throws Exception {
        return Files.writeString(folder.resolve(name), text);
    }

    /// Opens a text and waits until it is read and chosen.
    private static void read(String name, String text) throws Exception {
        browser.id("file").sendKeys(file(name, text).toString());
        browser.await(
                "a card shows the reading",
                () -> !browser.all("#readings [role=progressbar]").isEmpty());
        browser.await(
                "the document is chosen",
                () -> browser.all("#list .chosen").size() == 1
                        && browser.all("#readings li").isEmpty());
    }

    private static void press(String action) {
        browser.await("a button \"" + action + "\"", () -> button(action) != null);
        button(action).click();
    }

    private static WebElement button(String action) {
        return browser.all("#list button.link").stream()
                .filter(one -> one.getText().equals(action))
                .findFirst()
                .orElse(null);
    }

    private static String facts() {
        return browser.all("#list .facts").isEmpty()
                ? ""
                : browser.one("#list .facts").getText();
    }

    private static void awaitAnswers(int number) {
        browser.await(
                number + " answers",
                () -> browser.all(".entry").size() == number
                        && browser.all(".entry.busy").isEmpty());
    }

    @Test
    void aTextIsReadAndAnswersStream() throws Exception {
        assertThat(browser.id("list-empty").isDisplayed()).isTrue();
        read("dawn.txt", TestServer.text(40));
        assertThat(browser.one("#list .name").getText()).isEqualTo("dawn.txt");
        assertThat(browser.id("about").getText()).isEqualTo("About “dawn.txt”");
        browser.awaitText("memory-text", "Full attention would take");

        // Every length that the answer has on its way is noted.
        browser.run("window.lengths = new Set(); new MutationObserver(() => lengths.add("
                + "document.querySelector('.answer')?.textContent.length)).observe("
                + "document.getElementById('log'), {childList: true, subtree: true, characterData: true})");
        browser.id("question").sendKeys(TestServer.QUESTION, Keys.ENTER);
        awaitAnswers(1);
        String id = TestServer.json(server.get("/v1/documents"))
                .path("data")
                .path(0)
                .path("id")
                .stringValue();
        String expected = TestServer.json(server.post(
                        "/v1/chat/completions", TestServer.chat(TestServer.QUESTION, ",\"document\":\"" + id + "\"")))
                .path("choices")
                .path(0)
                .path("message")
                .path("content")
                .stringValue();
        assertThat(browser.one(".answer").getText()).isEqualTo(expected.strip());
        assertThat((Long) browser.run("return lengths.size"))
                .as("lengths on the way")
                .isGreaterThan(5);
        assertThat(browser.one(".question").getText()).isEqualTo(TestServer.QUESTION);
        assertThat(browser.one(".note").getText()).contains("tokens", "first token after", "prompt tokens read");
        assertThat(browser.id("announce").getAttribute("textContent")).contains(expected.strip());
        assertThat(browser.id("question").getAttribute("value")).isEmpty();

        // The strip and the figures show what the answer fetched.
        browser.await("the strip", () -> browser.id("strip").isDisplayed());
        browser.awaitText("strip-last", "Layer 5");
        browser.awaitText("hits", "%");
        browser.awaitText("fetched", "B");
        assertThat((Boolean) browser.run("const c = document.getElementById('strip');"
                        + "return new Set(c.getContext('2d').getImageData(0, 0, c.width, c.height).data).size > 10"))
                .as("colours of the strip")
                .isTrue();

        // Each question is asked by itself, or with those before it.
        browser.id("question").sendKeys(TestServer.QUESTION, Keys.ENTER);
        awaitAnswers(2);
        assertThat(browser.all(".answer").get(1).getText()).isEqualTo(expected.strip());
        browser.id("follow").click();
        browser.id("question").sendKeys("And again?", Keys.ENTER);
        awaitAnswers(3);
        assertThat(browser.all(".entry .error")).isEmpty();
        assertThat(browser.complaints()).isEmpty();
    }

    @Test
    void anAnswerCanBeStopped() throws Exception {
        browser.clickOnSign(".entry .note", "Answering", "#stop");
        browser.id("question").sendKeys("The grass is green. The sky is", Keys.ENTER);
        browser.awaitText("log", "Stopped.");
        browser.await("the end", () -> !browser.id("stop").isDisplayed());
        assertThat(browser.all(".entry.busy")).isEmpty();
        assertThat(browser.id("send").isDisplayed()).isTrue();
        server.awaitIdle();
        assertThat(browser.complaints()).isEmpty();
    }

    @Test
    void aReadingCanBeCancelled() throws Exception {
        browser.clickOnSign("#readings .facts", " of ", "#readings button");
        browser.id("file").sendKeys(file("long.txt", TestServer.text(300)).toString());
        browser.await(
                "the cancelled reading",
                () -> browser.id("announce").getAttribute("textContent").contains("is not read any further"));
        browser.await("no card", () -> browser.all("#readings li").isEmpty());
        server.awaitIdle();
        assertThat(browser.id("documents-error").isDisplayed()).isFalse();
        browser.await("no document", () -> browser.id("list-empty").isDisplayed());
    }

    @Test
    void documentsAreSavedLoadedAndDeleted() throws Exception {
        browser.id("paste-open").click();
        browser.id("paste-name").clear();
        browser.id("paste-name").sendKeys("A pasted text");
        browser.run("document.getElementById('paste-text').value = arguments[0]", TestServer.text(12));
        browser.one("#paste-form [type=submit]").click();
        browser.await("the document", () -> browser.all("#list .chosen").size() == 1);
        press("Save");
        browser.await("it is saved", () -> facts().endsWith("saved"));
        press("Unload");
        browser.await("it is only saved", () -> facts().startsWith("Saved, not in memory"));
        assertThat(browser.all("#list .chosen")).isEmpty();
        browser.reload();
        press("Load");
        browser.await(
                "it is loaded and chosen", () -> browser.all("#list .chosen").size() == 1);
        assertThat(browser.one("#list .name").getText()).isEqualTo("A pasted text");
        browser.id("question").sendKeys(TestServer.QUESTION, Keys.ENTER);
        awaitAnswers(1);
        press("Unload");
        browser.await("it is only saved", () -> facts().startsWith("Saved, not in memory"));
        press("Delete");
        press("Delete for good?");
        browser.await("nothing is left", () -> browser.id("list-empty").isDisplayed());
        assertThat(TestServer.json(server.get("/v1/documents")).path("data").isEmpty())
                .isTrue();
        assertThat(browser.complaints()).isEmpty();
    }

    @Test
    void refusalsAreShown() throws Exception {
        browser.id("file").sendKeys(file("too-long.txt", TOO_LONG).toString());
        browser.awaitText("documents-error", "\"too-long.txt\" was not read.");
        assertThat(browser.id("documents-error").getText()).contains("32,768 tokens", "Shorten it");
        Files.write(folder.resolve("picture.txt"), new byte[] {(byte) 0xff, (byte) 0xd8, 0, 1});
        browser.id("file").sendKeys(folder.resolve("picture.txt").toString());
        browser.awaitText("documents-error", "\"picture.txt\" is not a text in UTF-8");
        browser.id("file").sendKeys(file("empty.txt", " \n").toString());
        browser.awaitText("documents-error", "\"empty.txt\" is empty");

        // Too long for the context: the question stays, so that it can be shortened.
        browser.run("document.getElementById('question').value = arguments[0]", TOO_LONG);
        browser.id("question").sendKeys(" ", Keys.ENTER);
        browser.await("an error in the log", () -> browser.all(".entry .error").size() == 1);
        assertThat(browser.one(".entry .error").getText()).contains("32,768");
        assertThat(browser.id("question").getAttribute("value")).startsWith("The grass");
        List<String> complaints = browser.complaints();
        assertThat(complaints).hasSize(2).allMatch(line -> line.contains("status of 400"));
    }

    /// A document that another client deletes disappears, and one that it adds appears.
    @Test
    void thePageFollowsOtherClients() throws Exception {
        server.post("/v1/documents", "{\"id\":\"theirs\",\"name\":\"Theirs\",\"text\":\"The sky is blue.\"}");
        browser.await("it appears", () -> browser.all("#list .name").size() == 1);
        server.request("DELETE", "/v1/documents/theirs", "text/plain", "");
        browser.await("it disappears", () -> browser.id("list-empty").isDisplayed());
        assertThat(browser.complaints()).isEmpty();
    }
}
