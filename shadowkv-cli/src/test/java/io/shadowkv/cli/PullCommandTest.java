package io.shadowkv.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.shadowkv.Fixtures;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// `pull` from a hub on the loopback interface; the hub client's own tests cover cuts, redirects and damaged
/// content.
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
        shell().with("HF_ENDPOINT", "ftp://x").run("pull", "acme/needle").refused(2, "is no address of a server");
    }

    @Test
    void stopsWhenInterruptedAndGoesOnLater() {
        shell().cancelled().run("pull", "acme/needle").refused(1, "interrupted; what was fetched is kept");
        shell().run("tokenize", "acme/needle", "hello").refused(1, "run `shadowkv pull acme/needle` first");
        shell().run("pull", "acme/needle").succeeded();
    }
}
