package io.shadowkv.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shadowkv.checkpoint.Checkpoint;
import io.shadowkv.checkpoint.CheckpointFolder;
import io.shadowkv.checkpoint.SafetensorsWriter;
import io.shadowkv.tensor.DType;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Successful pulls from a server that behaves like the public hub.
class HubTest {
    static final HubPolicy QUICK =
            new HubPolicy(3, Duration.ofMillis(5), Duration.ofSeconds(10), Duration.ofSeconds(10));

    @TempDir
    Path temporary;

    private FakeHub server;
    private Path cache;
    private final List<String> notes = new ArrayList<>();

    @BeforeEach
    void serve() throws IOException {
        server = new FakeHub();
        cache = temporary.resolve("hub");
        fill(server, temporary);
    }

    /// Adds a model with two shards and the additional files that real repositories have.
    static void fill(FakeHub server, Path temporary) throws IOException {
        server.files.put("config.json", utf8("{\"model_type\": \"llama\", \"eos_token_id\": 2}"));
        server.files.put("generation_config.json", utf8("{\"temperature\": 0.5}"));
        server.files.put("tokenizer.model", utf8("pieces"));
        server.files.put("empty.json", new byte[0]);
        server.files.put("additional_chat_templates/tool_use.jinja", utf8("tools"));
        server.files.put(
                CheckpointFolder.INDEX,
                utf8("{\"weight_map\": {\"a\": \"model-00001-of-00002.safetensors\","
                        + " \"b\": \"model-00002-of-00002.safetensors\"}}"));
        server.files.put("model-00001-of-00002.safetensors", weights(temporary, "a", 50_000));
        server.files.put("model-00002-of-00002.safetensors", weights(temporary, "b", 1_000));
        for (String clutter : List.of(
                "README.md",
                ".gitattributes",
                "pytorch_model.bin",
                "original/params.json",
                "original/consolidated.safetensors",
                "consolidated.safetensors",
                "onnx/model.onnx",
                "additional_chat_templates/README.md",
                "original/chat_template.jinja",
                "notes.txt")) {
            server.files.put(clutter, utf8("unwanted"));
        }
    }

    static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static byte[] weights(Path folder, String name, int count) throws IOException {
        float[] values = new float[count];
        Random random = new Random(count);
        for (int i = 0; i < count; i++) {
            values[i] = random.nextFloat();
        }
        Path file = folder.resolve(name + ".tmp");
        new SafetensorsWriter()
                .add(name, io.shadowkv.tensor.Shape.of(count), values)
                .write(file);
        return Files.readAllBytes(file);
    }

    @AfterEach
    void stop() {
        server.close();
    }

    private Hub hub(HubDisk disk) {
        return new Hub(FakeHub.access(server, "secret"), cache, QUICK, disk);
    }

    private Path pull() throws InterruptedException {
        return pull(QUICK);
    }

    private Path pull(HubPolicy policy) throws InterruptedException {
        return new Hub(FakeHub.access(server, "secret"), cache, policy, HubDisk.real())
                .pull(FakeHub.REPO, "main", new PullListener() {
                    @Override
                    public void progress(String file, long doneBytes, long totalBytes) {
                        assertThat(doneBytes).isBetween(0L, totalBytes);
                    }

                    @Override
                    public void note(String message) {
                        notes.add(message);
                    }
                });
    }

    private Path repository() {
        return cache.resolve("models--acme--tiny");
    }

    private static List<String> names(Path folder) throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            return files.filter(file -> !Files.isDirectory(file))
                    .map(file -> folder.relativize(file).toString())
                    .sorted()
                    .toList();
        }
    }

    @Test
    void aPullLaysOutTheStandardCache() throws Exception {
        Path snapshot = pull();

        assertThat(snapshot).isEqualTo(repository().resolve("snapshots").resolve(FakeHub.COMMIT));
        assertThat(repository().resolve("refs/main")).hasContent(FakeHub.COMMIT);
        assertThat(names(snapshot))
                .containsExactly(
                        "additional_chat_templates/tool_use.jinja",
                        "config.json",
                        "empty.json",
                        "generation_config.json",
                        "model-00001-of-00002.safetensors",
                        "model-00002-of-00002.safetensors",
                        CheckpointFolder.INDEX,
                        "tokenizer.model");
        for (String file : names(snapshot)) {
            Path link = snapshot.resolve(file);
            assertThat(Files.readSymbolicLink(link))
                    .isEqualTo(link.getParent()
                            .relativize(repository().resolve("blobs"))
                            .resolve(server.etag(file)));
            assertThat(snapshot.resolve(file)).hasBinaryContent(server.files.get(file));
        }
        assertThat(names(repository().resolve("blobs"))).hasSize(8).noneMatch(name -> name.endsWith(".incomplete"));
        try (Checkpoint checkpoint = Checkpoint.open(snapshot)) {
            assertThat(checkpoint.tensor("b", 1_000).dtype()).isEqualTo(DType.F32);
        }
        assertThat(notes).isEmpty();
    }

    @Test
    void theTokenGoesToTheEndpointOnly() throws Exception {
        pull();

        assertThat(server.seen)
                .filteredOn(seen -> seen.server().equals("hub"))
                .isNotEmpty()
                .allMatch(seen -> "Bearer secret".equals(seen.authorization()));
        assertThat(server.seen)
                .filteredOn(seen -> seen.server().equals("content"))
                .hasSize(2)
                .allMatch(seen -> seen.authorization() == null);
    }

    @Test
    void whatIsCachedIsNotFetchedAgain() throws Exception {
        Path first = pull();
        server.seen.clear();

        assertThat(pull()).isEqualTo(first);
        assertThat(server.seen).hasSize(1).allMatch(seen -> seen.path().startsWith("/api/"));
    }

    @Test
    void aLinkThatWasLostIsMadeAgainWithoutADownload() throws Exception {
        Path first = pull();
        Files.delete(first.resolve("tokenizer.model"));
        server.seen.clear();

        pull();

        assertThat(first.resolve("tokenizer.model")).hasBinaryContent(utf8("pieces"));
        assertThat(server.seen).extracting(FakeHub.Seen::method).containsExactly("GET", "HEAD");
    }

    @Test
    void aCachedModelIsFoundWithoutAServer() throws Exception {
        Hub hub = hub(HubDisk.real());
        assertThat(hub.cached(FakeHub.REPO, "main")).isEmpty();
        Path snapshot = pull();
        server.close();

        assertThat(hub.cached(FakeHub.REPO, "main")).contains(snapshot);
        assertThat(hub.cached(FakeHub.REPO, FakeHub.COMMIT)).contains(snapshot);
        assertThat(hub.cached(FakeHub.REPO, "other")).isEmpty();
        assertThat(hub.resolve(FakeHub.REPO)).isEqualTo(snapshot);
        assertThat(hub.resolve(temporary.toString())).isEqualTo(temporary);
        assertThatThrownBy(() -> hub.resolve("acme/other"))
                .isInstanceOf(HubException.class)
                .hasMessageContaining("shadowkv pull acme/other");
        assertThatThrownBy(() -> hub.resolve("/no/such/folder"))
                .isInstanceOf(HubException.class)
                .hasMessageContaining("/no/such/folder: no such folder");
    }

    @Test
    void aPullByCommitNeedsNoRef() throws Exception {
        hub(HubDisk.real()).pull(FakeHub.REPO, FakeHub.COMMIT, PullListener.silent());

        assertThat(repository().resolve("refs")).doesNotExist();
        assertThat(hub(HubDisk.real()).cached(FakeHub.REPO, FakeHub.COMMIT)).isPresent();
    }

    @Test
    void withoutSymbolicLinksTheFilesAreThereAllTheSame() throws Exception {
        Path snapshot = hub(new DelegatingDisk() {
                    @Override
                    public void symbolicLink(Path link, Path target) {
                        throw new UnsupportedOperationException("no symbolic links here");
                    }
                })
                .pull(FakeHub.REPO, "main", PullListener.silent());

        for (String file : names(snapshot)) {
            assertThat(snapshot.resolve(file)).isRegularFile().hasBinaryContent(server.files.get(file));
            assertThat(Files.isSymbolicLink(snapshot.resolve(file))).isFalse();
        }
    }

    @Test
    void aCutTransferResumesWhereItEnded() throws Exception {
        String shard = "model-00001-of-00002.safetensors";
        server.fault(shard, FakeHub.cutAfter(70_000));
        server.fault(shard, FakeHub.cutAfter(30_001));

        Path snapshot = pull();

        assertThat(snapshot.resolve(shard)).hasBinaryContent(server.files.get(shard));
        assertThat(server.seen)
                .filteredOn(s -> s.server().equals("content") && s.path().endsWith(shard))
                .extracting(FakeHub.Seen::range)
                .containsExactly(null, "bytes=70000-", "bytes=100001-");
        assertThat(notes).hasSize(2).first().asString().contains("70000 of 200", "trying again");
    }

    @Test
    void aServerThatIgnoresTheRangeIsReadFromTheStart() throws Exception {
        String shard = "model-00001-of-00002.safetensors";
        server.ignoresRanges = true;
        server.fault(shard, FakeHub.cutAfter(70_000));

        assertThat(pull().resolve(shard)).hasBinaryContent(server.files.get(shard));
    }

    @Test
    void aRangeThatIsNotTheOneAskedForIsThrownAway() throws Exception {
        String shard = "model-00001-of-00002.safetensors";
        server.fault(shard, FakeHub.cutAfter(70_000));
        server.fault(shard, (exchange, content, from) -> {
            FakeHub.begin(exchange, content, from + 8);
            exchange.getResponseBody().write(content, from + 8, content.length - from - 8);
        });

        assertThat(pull().resolve(shard)).hasBinaryContent(server.files.get(shard));
        assertThat(notes)
                .hasSize(2)
                .last()
                .asString()
                .contains("asked for bytes from 70000", "bytes 70008-", "after 0 of");
    }

    @Test
    void aSilentServerIsAskedAgain() throws Exception {
        String shard = "model-00001-of-00002.safetensors";
        server.fault(shard, (exchange, content, from) -> {
            FakeHub.begin(exchange, content, from);
            exchange.getResponseBody().write(content, 0, 5_000);
            exchange.getResponseBody().flush();
            try {
                Thread.sleep(5_000);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });

        HubPolicy impatient = new HubPolicy(5, Duration.ofMillis(5), Duration.ofSeconds(10), Duration.ofMillis(500));
        assertThat(pull(impatient).resolve(shard)).hasBinaryContent(server.files.get(shard));
        assertThat(notes).anyMatch(note -> note.contains("sent nothing for 500 ms after 5000 of"));
    }

    @Test
    void serverFaultsAreRetried() throws Exception {
        server.fail("/revision/main", 500, 503);
        server.fail("/config.json", 429, 502);

        assertThat(pull().resolve("config.json")).isRegularFile();
        assertThat(notes).hasSize(4).allMatch(note -> note.contains("answered"));
    }

    @Test
    void gatedFilesOpenToTheToken() throws Exception {
        server.requiredToken = "secret";
        assertThat(pull().resolve("config.json")).isRegularFile();
    }

    @Test
    void anAdapterAloneIsNoModel() {
        server.files.keySet().removeIf(name -> name.endsWith(".safetensors") || name.endsWith("index.json"));
        server.files.put("adapter_config.json", new byte[] {'{', '}'});
        server.files.put("adapter_model.safetensors", new byte[8]);
        assertThatThrownBy(this::pull)
                .isInstanceOf(HubException.class)
                .hasMessageContaining("acme/tiny: an adapter (such as LoRA) without the weights")
                .hasMessageContaining("merge_and_unload()");
    }

    /// Repositories of GGUF files have many of the same model; a pattern chooses one.
    @Test
    void aPatternChoosesFiles() throws Exception {
        server.files.clear();
        server.files.put("tiny-Q4_K_M.gguf", utf8("GGUF four"));
        server.files.put("tiny-Q8_0-00001-of-00002.gguf", utf8("GGUF eight, first"));
        server.files.put("tiny-Q8_0-00002-of-00002.gguf", utf8("GGUF eight, second"));
        server.files.put("README.md", utf8("unwanted"));
        Hub hub = new Hub(FakeHub.access(server, "secret"), cache, QUICK, HubDisk.real());

        assertThatThrownBy(() -> hub.pull(FakeHub.REPO, "main", PullListener.silent()))
                .isInstanceOf(HubException.class)
                .hasMessageContaining("but tiny-Q4_K_M.gguf, tiny-Q8_0-00001-of-00002.gguf")
                .hasMessageContaining("shadowkv pull acme/tiny --file '*Q4_K_M*'");
        assertThatThrownBy(() -> hub.pullMatching(FakeHub.REPO, "main", List.of("*Q5_K*"), PullListener.silent()))
                .isInstanceOf(HubException.class)
                .hasMessageContaining("no file matches \"*Q5_K*\" among its 4 files (tiny-Q4_K_M.gguf");
        assertThatThrownBy(() -> hub.pullMatching(FakeHub.REPO, "main", List.of(" "), PullListener.silent()))
                .isInstanceOf(IllegalArgumentException.class);
        Path four = hub.pullMatching(FakeHub.REPO, "main", List.of("*Q4_K_M*"), PullListener.silent());

        try (Stream<Path> files = Files.list(four)) {
            assertThat(files.map(file -> file.getFileName().toString())).containsExactly("tiny-Q4_K_M.gguf");
        }
        assertThat(four.resolve("tiny-Q4_K_M.gguf")).hasContent("GGUF four");
        assertThat(hub.cached(FakeHub.REPO, "main")).contains(four);
        hub.pullMatching(FakeHub.REPO, "main", List.of("*Q8_0-0000?-*"), PullListener.silent());
        try (Stream<Path> files = Files.list(four)) {
            assertThat(files).hasSize(3);
        }
    }

    /// A dot in a pattern is a dot, and a name that leads out of the folder is refused.
    @Test
    void aPatternIsNoWayOut() {
        server.files.clear();
        server.files.put("x.gguf", utf8("GGUF"));
        server.extraSiblings = ", {\"rfilename\": \"../out.gguf\"}";
        Hub hub = new Hub(FakeHub.access(server, "secret"), cache, QUICK, HubDisk.real());

        assertThatThrownBy(() -> hub.pullMatching(FakeHub.REPO, "main", List.of("*.gguf"), PullListener.silent()))
                .isInstanceOf(HubException.class)
                .hasMessageContaining("\"../out.gguf\", which leads out of the folder");
        assertThatThrownBy(() -> hub.pullMatching(FakeHub.REPO, "main", List.of("x?gguf."), PullListener.silent()))
                .hasMessageContaining("no file matches");
    }
}
