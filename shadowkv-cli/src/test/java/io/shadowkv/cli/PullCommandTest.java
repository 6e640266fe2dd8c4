package io.shadowkv.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.shadowkv.Fixtures;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// `pull` from a hub on the loopback interface; the hub client's own tests cover cut connections,
/// redirects and damaged content.
class PullCommandTest {
    @TempDir
    Path temporary;

    private LoopbackHub hub;
    private Path cache;

    @BeforeEach
    void startHub() throws IOException {
        cache = temporary.resolve("hub");
        hub = new LoopbackHub();
        hub.folders.put("models/acme/needle", Fixtures.needleModel());
    }

    @AfterEach
    void stopHub() {
        hub.close();
    }

    private Shell shell() {
        return new Shell()
                .with("HF_ENDPOINT", hub.endpoint())
                .with("HF_TOKEN", LoopbackHub.TOKEN)
                .with("HF_HOME", temporary.resolve("nobody").toString())
                .with("HF_HUB_CACHE", cache.toString());
    }

    @Test
    void fetchesAModelThatThenHasItsName() {
        Shell.Result result = shell().run("pull", "acme/needle", "--progress").succeeded();
        Path folder = Path.of(result.out().strip());
        assertThat(folder).isEqualTo(cache.resolve("models--acme--needle/snapshots/" + LoopbackHub.COMMIT));
        assertThat(Shell.names(folder)).contains("config.json", "tokenizer.json", "model-00001-of-00002.safetensors");
        assertThat(result.err()).contains("model-00001-of-00002.safetensors: 100 %", "10.5 MiB of 10.5 MiB");
        assertThat(shell().run("tokenize", "acme/needle", "hello", "--ids")
                        .succeeded()
                        .out())
                .startsWith("[");
        assertThat(shell().run("pull", "acme/needle").succeeded().out()).isEqualTo(result.out());
    }

    @Test
    void takesTheCacheFolderFromOptionsAndEnvironment() {
        Path other = temporary.resolve("other");
        assertThat(shell().run("pull", "acme/needle", "--cache-dir", other)
                        .succeeded()
                        .out())
                .startsWith(other.toString());
        Path home = temporary.resolve("home");
        assertThat(shell().with("HF_HUB_CACHE", "")
                        .with("HF_HOME", home.toString())
                        .run("pull", "acme/needle")
                        .succeeded()
                        .out())
                .startsWith(home.resolve("hub").toString());
    }

    @Test
    void saysWhyTheHubRefuses() {
        shell().run("pull", "acme/other").refused(1, "acme/other");
        shell().with("HF_TOKEN", "").run("pull", "acme/needle").refused(1, "acme/needle", "HF_TOKEN");
        shell().with("HF_ENDPOINT", "ftp://x").run("pull", "acme/needle").refused(2, "is not an address of a server");
    }

    @Test
    void stopsWhenInterruptedAndGoesOnLater() {
        shell().cancelled().run("pull", "acme/needle").refused(1, "interrupted; downloaded data is kept");
        shell().run("tokenize", "acme/needle", "hello").refused(1, "run `shadowkv pull acme/needle` first");
        shell().run("pull", "acme/needle").succeeded();
    }

    /// The token that the hub's own login command saves.
    @Test
    void sendsTheSavedTokenWhereNoneIsSet() throws IOException {
        Path home = Files.createDirectories(temporary.resolve("home"));
        Path saved = Files.writeString(home.resolve("token"), LoopbackHub.TOKEN + "\n");
        shell().with("HF_TOKEN", "").run("pull", "acme/needle").refused(1, "set HF_TOKEN");
        shell().with("HF_TOKEN", "")
                .with("HF_HOME", home.toString())
                .run("pull", "acme/needle")
                .succeeded();
        shell().with("HF_TOKEN", "")
                .with("HF_TOKEN_PATH", saved.toString())
                .run("pull", "acme/needle")
                .succeeded();
        shell().with("HF_TOKEN", "")
                .with("HUGGING_FACE_HUB_TOKEN", LoopbackHub.TOKEN)
                .run("pull", "acme/needle")
                .succeeded();
        shell().with("HF_TOKEN", "")
                .with("HF_HOME", home.toString())
                .with("HF_HUB_DISABLE_IMPLICIT_TOKEN", "1")
                .run("pull", "acme/needle")
                .refused(1, "set HF_TOKEN");
        Files.writeString(saved, "another");
        shell().with("HF_TOKEN", "")
                .with("HF_HOME", home.toString())
                .run("pull", "acme/needle")
                .refused(1, "The token in " + saved + " is not accepted");
    }

    @Test
    void neverPrintsAToken() {
        Shell.Result result = shell().with("HF_TOKEN", "hf_secret\nx").run("pull", "acme/needle");
        result.refused(2, "HF_TOKEN: character 10 of the token is U+000A, which a token cannot contain");
        assertThat(result.err()).doesNotContain("hf_secret");
        result = shell().with("HF_ENDPOINT", "http://me:hf_secret@127.0.0.1").run("pull", "acme/needle");
        result.refused(2, "http://127.0.0.1", "a name or a password before the host");
        assertThat(result.err()).doesNotContain("hf_secret");
        result = shell().with("HF_ENDPOINT", "http://me:hf_secret@ 127").run("pull", "acme/needle");
        result.refused(2, "HF_ENDPOINT is not an address");
        assertThat(result.err()).doesNotContain("hf_secret");
        assertThat(hub.seen).isEmpty();
        // Variables that only a pull needs do not affect other commands.
        shell().with("HF_TOKEN", "hf_secret\nx")
                .with("HTTPS_PROXY", "socks5://x")
                .run("tokenize", "acme/needle", "hello")
                .refused(1, "run `shadowkv pull acme/needle` first");
    }

    @Test
    void asksNobodyOffline() {
        for (String name : new String[] {"HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"}) {
            shell().with(name, "yes").run("pull", "acme/needle").refused(1, "HF_HUB_OFFLINE is set", cache.toString());
        }
        assertThat(hub.seen).isEmpty();
        String folder = shell().run("pull", "acme/needle").succeeded().out();
        hub.seen.clear();
        assertThat(shell().with("HF_HUB_OFFLINE", "1")
                        .run("pull", "acme/needle")
                        .succeeded()
                        .out())
                .isEqualTo(folder);
        assertThat(hub.seen).isEmpty();
        assertThat(shell().with("HF_HUB_OFFLINE", "0")
                        .run("pull", "acme/needle")
                        .succeeded()
                        .out())
                .isEqualTo(folder);
        assertThat(hub.seen).isNotEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"})
    void goesThroughTheProxyThatTheEnvironmentNames(String variable) {
        shell().with("HF_ENDPOINT", "http://hub.invalid")
                .with(variable, hub.endpoint())
                .run("pull", "acme/needle")
                .succeeded();
        assertThat(hub.seen).first().asString().startsWith("GET /api/models/acme/needle/revision/main");
        shell().with(variable, "http://127.0.0.1:9")
                .with("no_proxy", "127.0.0.0/8")
                .run("pull", "acme/needle")
                .succeeded();
        Shell.Result result = shell().with(variable, "socks5://me:secret@host").run("pull", "acme/needle");
        result.refused(2, "ALL_PROXY: \"socks5://host\" is not a supported proxy");
        assertThat(result.err()).doesNotContain("secret");
    }
}
