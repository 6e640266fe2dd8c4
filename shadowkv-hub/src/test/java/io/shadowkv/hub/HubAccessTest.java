package io.shadowkv.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Access to a hub: tokens and refusals, networks with logins and proxies, and no network at all.
class HubAccessTest {
    private static final String SHARD = "model-00001-of-00002.safetensors";

    @TempDir
    Path temporary;

    private FakeHub server;
    private Path cache;

    @BeforeEach
    void serve() throws IOException {
        server = new FakeHub();
        cache = temporary.resolve("hub");
        HubTest.fill(server, temporary);
    }

    @AfterEach
    void stop() {
        server.close();
    }

    private Path pull() throws InterruptedException {
        return new Hub(FakeHub.access(server, "secret"), cache, HubTest.QUICK, HubDisk.real())
                .pull(FakeHub.REPO, "main", PullListener.silent());
    }

    private void pullFails(String... parts) {
        assertThatThrownBy(this::pull)
                .isInstanceOf(HubException.class)
                .message()
                .contains(parts)
                .doesNotContain("secret");
        assertThat(cache.resolve("models--acme--tiny/snapshots")).doesNotExist();
    }

    /// Terms accepted long ago are not the cause of a refusal; the server gives the cause.
    @Test
    void aRefusalIsToldInTheServersWords() {
        server.statusHeaders.put(
                "X-Error-Message", "This token \"secret\" may not read gated repositories.\t Give it.");
        server.fail("/revision/main", 403);
        assertThatThrownBy(() -> pull())
                .isInstanceOf(HubException.class)
                .hasMessage(
                        "acme/tiny: the hub refused revision main (status 403), saying \"This token \"…\" may not read"
                                + " gated repositories.  Give it\". Check the name, HF_ENDPOINT, and the"
                                + " permissions of the token in HF_TOKEN");
        server.statusHeaders.put("X-Error-Code", "GatedRepo");
        server.fail("/revision/main", 403);
        pullFails(
                "(status 403, GatedRepo), saying \"This token",
                "accept its terms on its page",
                "the token in HF_TOKEN");
        server.statusHeaders.clear();
        server.fail("/revision/main", 403);
        pullFails("(status 403). The repository is gated: accept its terms");
    }

    /// Messages are stored in logs.
    @ParameterizedTest
    @ValueSource(strings = {"hf_secret\nx", "hf_secret x", "hf_secr\u00e9t", "hf_secret\u0000"})
    void aTokenWithACharacterThatNoTokenHasIsNotRepeated(String token) {
        assertThatThrownBy(() -> HubToken.of(token, "HF_TOKEN"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith("HF_TOKEN: character ")
                .message()
                .doesNotContain("hf_s", "x");
        assertThat(HubToken.of(" hf_secret\r\n", "HF_TOKEN").orElseThrow()).hasToString("token from HF_TOKEN");
        assertThat(HubToken.of(" \n", "HF_TOKEN")).isEmpty();
    }

    /// An HTML page of the network's login, or of a proxy, in every place where the hub should
    /// answer.
    @Test
    void pagesInTheHubsPlaceAreTold() throws Exception {
        server.apiAnswer = "\n<!DOCTYPE html><html><body>Please log in</body></html>";
        pullFails(
                "answer of http://127.0.0.1",
                ": the response is an HTML page, not a hub's",
                "require a login",
                "HTTPS_PROXY");
        server.apiAnswer = null;
        server.contentTypes.put("HEAD config.json", "text/html; charset=utf-8");
        pullFails("acme/tiny/config.json: the response is an HTML page");
        server.contentTypes.clear();
        server.contentTypes.put("GET " + SHARD, "Text/HTML");
        pullFails("acme/tiny/" + SHARD + ": the response is an HTML page");
        server.contentTypes.clear();
        server.fail("/revision/main", 511);
        pullFails("the response is an HTML page");
        assertThat(pull().resolve(SHARD)).hasBinaryContent(server.files.get(SHARD));
    }

    @Test
    void withoutANetworkTheSnapshotThatIsThereIsNamed() throws Exception {
        Path snapshot = pull();
        server.fail("/revision/main", 401);
        assertThatThrownBy(() -> pull())
                .isInstanceOf(HubException.class)
                .message()
                .doesNotContain(snapshot.toString());
        server.apiAnswer = "<html>";
        assertThatThrownBy(() -> pull()).hasMessageContaining("snapshot of an earlier pull is complete: " + snapshot);
        server.close();
        assertThatThrownBy(() -> pull())
                .isInstanceOf(HubException.class)
                .hasMessageContaining("no connection")
                .hasMessageContaining("The snapshot of an earlier pull is complete: " + snapshot)
                .hasMessageContaining("HF_HUB_OFFLINE=1");
        Files.delete(snapshot.resolve(SHARD));
        assertThatThrownBy(() -> pull())
                .hasMessageContaining("no connection")
                .message()
                .doesNotContain(snapshot.toString());
    }

    @Test
    void offlineNoServerIsAsked() throws Exception {
        Hub offline = new Hub(
                new HubAccess(server.endpoint(), null, HubProxies.none(), true), cache, HubTest.QUICK, HubDisk.real());
        List<String> files = List.of("config.json");
        assertThatThrownBy(() -> offline.pull(FakeHub.REPO, "main", PullListener.silent()))
                .isInstanceOf(HubException.class)
                .hasMessageContaining("HF_HUB_OFFLINE is set")
                .hasMessageContaining(cache + " has no complete snapshot of revision main");
        assertThatThrownBy(() -> offline.pullDataset(FakeHub.REPO, "main", files, PullListener.silent()))
                .isInstanceOf(HubException.class)
                .hasMessageContaining("HF_HUB_OFFLINE is set");
        assertThatThrownBy(() ->
                        offline.download(server.address("config.json"), cache.resolve("x"), PullListener.silent()))
                .isInstanceOf(HubException.class)
                .hasMessageContaining("HF_HUB_OFFLINE is set");
        assertThat(server.seen).isEmpty();

        Path snapshot = pull();
        Hub online = new Hub(FakeHub.access(server, "secret"), cache, HubTest.QUICK, HubDisk.real());
        Path data = online.pullDataset(FakeHub.REPO, "main", files, PullListener.silent());
        server.seen.clear();
        assertThat(offline.pull(FakeHub.REPO, "main", PullListener.silent())).isEqualTo(snapshot);
        assertThat(offline.pullDataset(FakeHub.REPO, "main", files, PullListener.silent()))
                .isEqualTo(data);
        assertThatThrownBy(() -> offline.pullDataset(
                        FakeHub.REPO, "main", List.of("config.json", "a.jsonl"), PullListener.silent()))
                .hasMessageContaining("no complete snapshot");
        // As another program leaves it: a configuration without weights.
        Files.delete(snapshot.resolve(SHARD));
        assertThatThrownBy(() -> offline.pull(FakeHub.REPO, "main", PullListener.silent()))
                .hasMessageContaining("no complete snapshot");
        assertThat(server.seen).isEmpty();
    }

    /// The fake hub also answers requests that it receives as a proxy for other hosts.
    @Test
    void requestsGoThroughTheProxyAndItsPasswordStaysThere() throws Exception {
        String proxy = "http://user:pass@127.0.0.1:" + server.endpoint().getPort();
        HubProxies proxies = HubProxies.of(proxy, "", "127.0.0.1");
        URI elsewhere = URI.create("http://hub.invalid");
        Hub hub = new Hub(
                new HubAccess(elsewhere, HubToken.of("secret", "HF_TOKEN").orElseThrow(), proxies, false),
                cache,
                HubTest.QUICK,
                HubDisk.real());
        assertThat(hub.pull(FakeHub.REPO, "main", PullListener.silent()).resolve(SHARD))
                .hasBinaryContent(server.files.get(SHARD));
        assertThat(server.seen("hub", "GET"))
                .isNotEmpty()
                .allSatisfy(seen -> assertThat(seen.proxyAuthorization()).isEqualTo("Basic dXNlcjpwYXNz"));
        // The content host is an exception and is contacted directly.
        assertThat(server.seen("content", "GET"))
                .isNotEmpty()
                .allSatisfy(seen -> assertThat(seen.proxyAuthorization()).isNull());

        server.fail("/revision/main", 407);
        assertThatThrownBy(() -> hub.pull(FakeHub.REPO, "main", PullListener.silent()))
                .isInstanceOf(HubException.class)
                .hasMessageContaining("the proxy requires a name and a password")
                .message()
                .doesNotContain("pass@", "user:");
        server.close();
        assertThatThrownBy(() -> hub.pull(FakeHub.REPO, "main", PullListener.silent()))
                .isInstanceOf(HubException.class)
                .hasMessageContaining("from hub.invalid through the proxy 127.0.0.1:")
                .hasMessageContaining("NO_PROXY")
                .message()
                .doesNotContain("pass@");
    }

    @Test
    void secretsInAddressesAreNotShown() {
        assertThatThrownBy(() -> HubAccess.of(URI.create("https://user:hf_secret@hub.example/x")))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("https://hub.example/x")
                .hasMessageContaining("set HF_TOKEN")
                .message()
                .doesNotContain("hf_secret");
        assertThatThrownBy(() -> HubAccess.of(URI.create("ftp://user:hf_secret@hub.example")))
                .hasMessageContaining("expected http(s)://HOST")
                .message()
                .doesNotContain("hf_secret");
        Hub hub = new Hub(HubAccess.of(server.endpoint()), cache, HubTest.QUICK, HubDisk.real());
        URI signed = URI.create(server.address("absent.json") + "?signature=hf_secret");
        assertThatThrownBy(() -> hub.download(signed, cache.resolve("x"), PullListener.silent()))
                .isInstanceOf(HubException.class)
                .hasMessageContaining("/signed/absent.json: the server refused (status 404)")
                .message()
                .doesNotContain("hf_secret");
    }
}
