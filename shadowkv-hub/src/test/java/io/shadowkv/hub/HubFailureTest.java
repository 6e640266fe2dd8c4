package io.shadowkv.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Failing pulls: each reports the reason and leaves nothing that looks like a model.
class HubFailureTest {
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

    private Path pull(HubDisk disk) throws InterruptedException {
        return new Hub(FakeHub.access(server, "secret"), cache, HubTest.QUICK, disk)
                .pull(FakeHub.REPO, "main", PullListener.silent());
    }

    private void pullFails(String... parts) {
        assertThatThrownBy(() -> pull(HubDisk.real()))
                .isInstanceOf(HubException.class)
                .message()
                .contains(parts);
        assertNothingVisible();
    }

    /// Asserts that there is no snapshot, no ref, and no blob whose content does not match its
    /// final name.
    private void assertNothingVisible() {
        Path repository = cache.resolve("models--acme--tiny");
        assertThat(repository.resolve("snapshots")).doesNotExist();
        assertThat(repository.resolve("refs")).doesNotExist();
        try (Stream<Path> blobs = Files.exists(repository) ? Files.list(repository.resolve("blobs")) : Stream.empty()) {
            for (Path blob :
                    blobs.filter(b -> !b.toString().endsWith(".incomplete")).toList()) {
                String file = server.files.keySet().stream()
                        .filter(name ->
                                server.etag(name).equals(blob.getFileName().toString()))
                        .findFirst()
                        .orElseThrow();
                assertThat(blob).hasBinaryContent(server.files.get(file));
            }
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
        assertThat(new Hub(HubAccess.of(server.endpoint()), cache).cached(FakeHub.REPO, "main"))
                .isEmpty();
    }

    private Path incomplete(String file) {
        return cache.resolve("models--acme--tiny/blobs/" + server.etag(file) + ".incomplete");
    }

    @ParameterizedTest
    @ValueSource(strings = {SHARD, "config.json"})
    void otherContentIsRemovedAndNamed(String file) throws Exception {
        byte[] right = server.files.get(file);
        String etag = server.etag(file);
        server.etags.put(file, etag);
        byte[] wrong = right.clone();
        wrong[wrong.length / 2] ^= 1;
        server.files.put(file, wrong);

        pullFailsWithChecksum(file, etag);
        assertThat(incomplete(file)).doesNotExist();

        server.files.put(file, right);
        assertThat(pull(HubDisk.real()).resolve(file)).hasBinaryContent(right);
    }

    private void pullFailsWithChecksum(String file, String etag) {
        assertThatThrownBy(() -> pull(HubDisk.real()))
                .isInstanceOf(HubException.class)
                .hasMessageContaining("acme/tiny/" + file + ": checksum ")
                .hasMessageContaining("expected " + etag);
        assertThat(cache.resolve("models--acme--tiny/blobs").resolve(etag)).doesNotExist();
        assertThat(cache.resolve("models--acme--tiny/snapshots")).doesNotExist();
    }

    @Test
    void aDamagedBeginningFromAnEarlierPullIsNoticed() throws Exception {
        Files.createDirectories(incomplete(SHARD).getParent());
        Files.write(incomplete(SHARD), new byte[4_000]);

        pullFails(SHARD + ": checksum");
        assertThat(pull(HubDisk.real()).resolve(SHARD)).hasBinaryContent(server.files.get(SHARD));
    }

    @Test
    void anIncompleteFileThatIsTooLongIsThrownAway() throws Exception {
        Files.createDirectories(incomplete(SHARD).getParent());
        Files.write(incomplete(SHARD), new byte[server.files.get(SHARD).length + 1]);

        assertThat(pull(HubDisk.real()).resolve(SHARD)).hasBinaryContent(server.files.get(SHARD));
    }

    @Test
    void anInterruptedPullIsResumedByTheNext() throws Exception {
        CountDownLatch halfway = new CountDownLatch(1);
        CountDownLatch stopped = new CountDownLatch(1);
        server.fault(SHARD, (exchange, content, from) -> {
            FakeHub.begin(exchange, content, from);
            exchange.getResponseBody().write(content, 0, 60_000);
            exchange.getResponseBody().flush();
            await(stopped);
        });
        AtomicReference<Throwable> thrown = new AtomicReference<>();
        Thread puller = Thread.ofPlatform().start(() -> {
            try {
                new Hub(HubAccess.of(server.endpoint()), cache, HubTest.QUICK, HubDisk.real())
                        .pull(FakeHub.REPO, "main", (file, done, total) -> {
                            if (file.equals(SHARD) && done == 60_000) {
                                halfway.countDown();
                            }
                        });
            } catch (Throwable e) {
                thrown.set(e);
            }
        });
        halfway.await();
        puller.interrupt();
        puller.join();
        stopped.countDown();

        assertThat(thrown.get()).isInstanceOf(InterruptedException.class);
        assertNothingVisible();
        assertThat(incomplete(SHARD)).hasSize(60_000);

        assertThat(pull(HubDisk.real()).resolve(SHARD)).hasBinaryContent(server.files.get(SHARD));
        assertThat(server.seen("content", "GET"))
                .filteredOn(seen -> seen.path().endsWith(SHARD))
                .extracting(FakeHub.Seen::range)
                .containsExactly(null, "bytes=60000-");
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Test
    void cutsWithoutEndAreGivenUpAndResumable() throws Exception {
        for (int i = 0; i < HubTest.QUICK.attempts(); i++) {
            server.fault(SHARD, FakeHub.cutAfter(1_000));
        }
        pullFails("cannot fetch acme/tiny/" + SHARD, "after 3 tries", "received data is kept");
        assertThat(incomplete(SHARD)).hasSize(3_000);

        pull(HubDisk.real());
        assertThat(server.seen("content", "GET"))
                .filteredOn(seen -> seen.path().endsWith(SHARD))
                .last()
                .extracting(FakeHub.Seen::range)
                .isEqualTo("bytes=3000-");
    }

    @Test
    void moreBytesThanAnnouncedAreRefused() {
        server.fault(SHARD, (exchange, content, from) -> {
            exchange.sendResponseHeaders(200, content.length + 5);
            exchange.getResponseBody().write(content);
            exchange.getResponseBody().write(new byte[5]);
        });
        pullFails(SHARD + ": the server sends more than the " + server.files.get(SHARD).length + " bytes");
        assertThat(incomplete(SHARD)).doesNotExist();
    }

    @Test
    void aDiskTooSmallIsToldBeforeAnythingIsFetched() {
        HubDisk small = new DelegatingDisk() {
            @Override
            public long usableBytes(Path folder) {
                return 1_000;
            }
        };
        assertThatThrownBy(() -> pull(small))
                .isInstanceOf(HubException.class)
                .hasMessageContaining("need ")
                .hasMessageContaining("the disk has 1000 left. Free ")
                .hasMessageContaining("HF_HOME");
        assertNothingVisible();
        assertThat(server.seen)
                .noneMatch(seen -> seen.method().equals("GET") && !seen.path().startsWith("/api/"));
    }

    @Test
    void aDiskThatFillsUpLeavesAResumablePull() throws Exception {
        HubDisk filling = new DelegatingDisk() {
            @Override
            public OutputStream write(Path file, boolean append) throws IOException {
                return new FullAfter(new FileOutputStream(file.toFile(), append), 100_000);
            }
        };
        assertThatThrownBy(() -> pull(filling))
                .isInstanceOf(HubException.class)
                .hasMessageContaining(SHARD + ": the disk accepted ")
                .hasMessageContaining("of " + server.files.get(SHARD).length + " bytes (No space left on device)")
                .hasMessageContaining("bytes are left in");
        assertNothingVisible();
        assertThat(incomplete(SHARD)).hasSize(100_000);

        pull(HubDisk.real());
        assertThat(server.seen("content", "GET"))
                .last()
                .extracting(FakeHub.Seen::range)
                .isEqualTo("bytes=100000-");
    }

    /// Accepts a number of bytes and writes half a piece at the end, as a full disk does.
    private static final class FullAfter extends OutputStream {
        private final OutputStream out;
        private int left;

        FullAfter(OutputStream out, int bytes) {
            this.out = out;
            this.left = bytes;
        }

        @Override
        public void write(int value) throws IOException {
            write(new byte[] {(byte) value}, 0, 1);
        }

        @Override
        public void write(byte[] buffer, int offset, int count) throws IOException {
            int taken = Math.min(left, count);
            out.write(buffer, offset, taken);
            left -= taken;
            if (taken < count) {
                throw new IOException("No space left on device");
            }
        }

        @Override
        public void close() throws IOException {
            out.close();
        }
    }

    @Test
    void aGatedModelSaysWhatTheTokenWouldDo() {
        server.requiredToken = "another";
        pullFails("the hub refused", "GatedRepo", "accept its terms", "HF_TOKEN");
    }

    @Test
    void unknownNamesAreTold() {
        Hub hub = new Hub(HubAccess.of(server.endpoint()), cache, HubTest.QUICK, HubDisk.real());
        assertThatThrownBy(() -> hub.pull("acme/nothing", "main", PullListener.silent()))
                .isInstanceOf(HubException.class)
                .hasMessageContaining("acme/nothing: the hub refused revision main (status 401, RepoNotFound)")
                .hasMessageContaining("set HF_TOKEN");
        assertThatThrownBy(() -> hub.pull(FakeHub.REPO, "v9", PullListener.silent()))
                .isInstanceOf(HubException.class)
                .hasMessageContaining("has no such revision");
        server.fail("/config.json", 404);
        pullFails("refused config.json (status 404)");
    }

    @ParameterizedTest
    @ValueSource(strings = {"<html>", "[]", "{}", "{\"sha\": 7}", "{\"sha\": \"../../x\"}", "{\"sha\": \"\"}"})
    void answersThatAreNoHubsAreRefused(String answer) {
        server.apiAnswer = answer;
        pullFails("answer of http://127.0.0.1", "/api/models/acme/tiny/revision/main: ");
    }

    @Test
    void aServerThatKeepsFailingIsGivenUp() {
        server.fail("/revision/main", 500, 500, 500, 500);
        pullFails("/revision/main", "answered 500", "after 3 tries");
        assertThat(server.seen).hasSize(3);
    }

    @Test
    void withoutANetworkTheMessageSaysSo() {
        server.close();
        pullFails("cannot fetch", "no connection", "Check the network and HF_ENDPOINT");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "../../evil.json",
                "/etc/evil.json",
                "a/../../evil.json",
                "..\\\\evil.json",
                "C:evil.json",
                "x/./evil.safetensors",
                "a//b.json",
                "bell\\u0007.json"
            })
    void hostileFileNamesStopThePull(String name) {
        server.extraSiblings = ",{\"rfilename\":\"" + name + "\"}";
        pullFails("leads out of the folder");
        assertThat(server.seen).hasSize(1);
        assertThat(cache).doesNotExist();
    }

    @ParameterizedTest
    @ValueSource(strings = {"../../../evil", "", "..", "a/b", "short"})
    void hostileEtagsStopThePull(String etag) {
        server.etags.put("config.json", etag);
        pullFails("config.json: the server sent ETag", "a checksum and a length are needed");
    }

    @Test
    void anEtagThatIsNoChecksumIsReported() throws Exception {
        server.etags.put("config.json", "1234567890-abc");
        List<String> notes = new ArrayList<>();
        new Hub(HubAccess.of(server.endpoint()), cache, HubTest.QUICK, HubDisk.real())
                .pull(FakeHub.REPO, "main", new PullListener() {
                    @Override
                    public void progress(String file, long doneBytes, long totalBytes) {
                        assertThat(file).isNotEmpty();
                    }

                    @Override
                    public void note(String message) {
                        notes.add(message);
                    }
                });
        assertThat(notes).hasSize(1).first().asString().contains("config.json", "only the length was checked");
    }

    @Test
    void repositoriesWithoutAModelAreRefused() {
        server.files.keySet().removeIf(name -> name.startsWith("model-"));
        pullFails("no *.safetensors among its");
        server.files.put("model.safetensors", new byte[8]);
        server.files.remove("config.json");
        pullFails("no config.json among its");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "a/b/c", "../x", "a/..", "a b", "/abs", "x--y", "a/b\n"})
    void namesThatAreNoRepositoryAreRefused(String repo) {
        Hub hub = new Hub(HubAccess.of(server.endpoint()), cache);
        assertThatThrownBy(() -> hub.pull(repo, "main", PullListener.silent()))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("expected ORG/NAME");
        assertThatThrownBy(() -> hub.cached("acme/tiny", "../../" + repo))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("not a revision");
    }

    @Test
    void anEndpointThatIsNoServerIsRefused() {
        for (String endpoint : List.of("file:///x", "localhost", "ftp://host")) {
            assertThatThrownBy(() -> HubAccess.of(URI.create(endpoint)))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("HF_ENDPOINT");
        }
    }

    @Test
    void twoPullsAtOnceAreRefused() throws Exception {
        HubCache held = new HubCache(cache, "models--acme--tiny", HubDisk.real());
        try (HubCache.Lock _ = held.lock()) {
            assertThatThrownBy(() -> pull(HubDisk.real()))
                    .isInstanceOf(HubException.class)
                    .hasMessageContaining("another pull of this repository is running");
        }
        assertThat(pull(HubDisk.real())).isDirectory();
    }
}
