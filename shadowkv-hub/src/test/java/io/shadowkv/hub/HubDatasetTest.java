package io.shadowkv.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Files of datasets, and addresses outside a hub; cuts, damaged content and disks are tested with
/// models.
class HubDatasetTest {
    @TempDir
    Path temporary;

    private FakeHub server;
    private Path cache;
    private final List<String> notes = new ArrayList<>();
    private final PullListener listener = new PullListener() {
        @Override
        public void progress(String file, long doneBytes, long totalBytes) {
            assertThat(doneBytes).isBetween(0L, totalBytes);
        }

        @Override
        public void note(String message) {
            notes.add(message);
        }
    };

    @BeforeEach
    void serve() {
        server = new FakeHub();
        cache = temporary.resolve("hub");
        byte[] archive = new byte[200_000];
        new Random(7).nextBytes(archive);
        server.files.put("data.zip", archive);
        server.files.put("data/a.jsonl", HubTest.utf8("{\"input\": 1}\n"));
        server.files.put("README.md", HubTest.utf8("unwanted"));
    }

    @AfterEach
    void stop() {
        server.close();
    }

    private Path pull(String repo, String... files) throws InterruptedException {
        return new Hub(FakeHub.access(server, "secret"), cache, HubTest.QUICK, HubDisk.real())
                .pullDataset(repo, "main", List.of(files), listener);
    }

    @Test
    void aDatasetHasItsOwnAddressesAndItsOwnFolder() throws Exception {
        Path snapshot = pull(FakeHub.REPO, "data.zip", "data/a.jsonl");

        assertThat(snapshot).isEqualTo(cache.resolve("datasets--acme--tiny/snapshots/" + FakeHub.COMMIT));
        assertThat(snapshot.resolve("data.zip")).hasBinaryContent(server.files.get("data.zip"));
        assertThat(snapshot.resolve("data/a.jsonl")).hasContent("{\"input\": 1}\n");
        assertThat(snapshot.resolve("README.md")).doesNotExist();
        assertThat(server.seen)
                .filteredOn(seen -> seen.server().equals("hub"))
                .extracting(FakeHub.Seen::path)
                .contains("/api/datasets/acme/tiny/revision/main")
                .allMatch(path -> path.matches("(/api)?/datasets/.*"))
                .contains("/datasets/acme/tiny/resolve/" + FakeHub.COMMIT + "/data/a.jsonl");
        server.seen.clear();
        assertThat(pull(FakeHub.REPO, "data.zip")).isEqualTo(snapshot);
        assertThat(server.seen).hasSize(1);
    }

    @Test
    void aDatasetThatWasRenamedIsFound() throws Exception {
        assertThat(pull(FakeHub.FORMER, "data.zip").resolve("data.zip")).hasBinaryContent(server.files.get("data.zip"));
    }

    @Test
    void aCutTransferResumesInALaterPull() throws Exception {
        for (int i = 0; i < HubTest.QUICK.attempts(); i++) {
            server.fault("data.zip", FakeHub.cutAfter(10_000));
        }
        assertThatThrownBy(() -> pull(FakeHub.REPO, "data.zip"))
                .isInstanceOf(HubException.class)
                .hasMessageContainingAll("after 3 tries", "received data is kept");
        assertThat(cache.resolve("datasets--acme--tiny/snapshots")).doesNotExist();
        server.seen.clear();

        assertThat(pull(FakeHub.REPO, "data.zip").resolve("data.zip")).hasBinaryContent(server.files.get("data.zip"));
        assertThat(server.seen("content", "GET"))
                .extracting(FakeHub.Seen::range)
                .containsExactly("bytes=30000-");
    }

    @Test
    void missingFilesAreNamedBeforeAnyIsFetched() {
        server.files.put("hotpotqa/test-0.parquet", new byte[8]);
        assertThatThrownBy(() -> pull(FakeHub.REPO, "data.zip", "data/b.jsonl", "c.json"))
                .isInstanceOf(HubException.class)
                .hasMessageContainingAll(
                        "acme/tiny: has no data/b.jsonl, c.json among its 4 files (data.zip, data/a.jsonl, README.md)",
                        "1 of them are *.parquet, which cannot be read");
        assertThat(server.seen).hasSize(1);
        assertThatThrownBy(() -> pull("acme/other", "data.zip"))
                .isInstanceOf(HubException.class)
                .hasMessageContaining("acme/other: the hub refused revision main (status 401");
    }

    @ParameterizedTest
    @ValueSource(strings = {"../x", "/x", "a//b", "a/../b", "", "a\\b", "c:x"})
    void namesThatLeadElsewhereAreRefused(String file) {
        assertThatThrownBy(() -> pull(FakeHub.REPO, file))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("is not a file of a repository");
        assertThat(server.seen).isEmpty();
    }

    private Path download(String file) throws InterruptedException {
        Path target = temporary.resolve("data/squad.json");
        HubDownload.fetch(server.address(file), target, HubProxies.none(), listener, HubTest.QUICK);
        return target;
    }

    @Test
    void aPlainAddressIsFetchedWithoutAToken() throws Exception {
        server.fault("data.zip", FakeHub.cutAfter(70_000));

        Path target = download("data.zip");

        assertThat(target).hasBinaryContent(server.files.get("data.zip"));
        assertThat(server.seen("content", "GET"))
                .extracting(FakeHub.Seen::range)
                .containsExactly(null, "bytes=70000-");
        assertThat(server.seen).allMatch(seen -> seen.authorization() == null);
        assertThat(notes).last().asString().contains("sent no checksum", "only the length was checked");
        try (var files = Files.list(target.getParent())) {
            assertThat(files).containsExactly(target);
        }
    }

    @Test
    void aPlainAddressThatFailsShowsNoFileAndGoesOnLater() throws Exception {
        for (int i = 0; i < HubTest.QUICK.attempts(); i++) {
            server.fault("data.zip", FakeHub.cutAfter(10_000));
        }
        assertThatThrownBy(() -> download("data.zip"))
                .isInstanceOf(HubException.class)
                .hasMessageContaining("Check the network and the address");
        assertThat(temporary.resolve("data/squad.json")).doesNotExist();
        server.seen.clear();
        assertThat(download("data.zip")).hasBinaryContent(server.files.get("data.zip"));
        assertThat(server.seen("content", "GET"))
                .extracting(FakeHub.Seen::range)
                .containsExactly("bytes=30000-");
        assertThatThrownBy(() -> download("nothing.json"))
                .isInstanceOf(HubException.class)
                .hasMessageContaining("nothing.json: the server refused (status 404). Check the address");
        assertThatThrownBy(() -> HubDownload.fetch(
                        Path.of("x").toUri(), temporary.resolve("y"), HubProxies.none(), listener, HubTest.QUICK))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("expected http");
    }
}
