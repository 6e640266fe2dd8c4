package io.shadowkv.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.shadowkv.Fixtures;
import io.shadowkv.cli.pull.PublishedSuite;
import io.shadowkv.eval.PromptFormat;
import io.shadowkv.eval.TaskContext;
import io.shadowkv.eval.catalog.TaskCatalog;
import io.shadowkv.text.Tokenizer;
import io.shadowkv.text.tokenizer.Tokenizers;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// `pull --suite` and `pull --dataset`: from artificial repositories in the published formats to
/// tasks that open.
class PullDataTest {
    private static final String ROW = "{\"input\": \"Where?\", \"context\": \"Paris.\", \"answers\": [\"Paris\"],"
            + " \"all_classes\": null, \"length\": 1, \"dataset\": \"x\", \"language\": \"en\", \"_id\": \"1\"}\n";
    private static final String SQUAD =
            "{\"data\": [{\"paragraphs\": [{\"context\": \"Paris.\", \"qas\": [{\"question\":"
                    + " \"Where?\", \"is_impossible\": false, \"answers\": [{\"text\": \"Paris\"}]}]}]}]}\n";

    @TempDir
    Path temporary;

    private LoopbackHub hub;
    private Path data;

    @BeforeEach
    void startHub() throws IOException {
        data = temporary.resolve("data");
        hub = new LoopbackHub();
        repository("THUDM/LongBench");
        write("THUDM/LongBench", "README.md", "about");
        zip(repository("THUDM/LongBench").resolve("data.zip"), longBenchEntries());
    }

    @AfterEach
    void stopHub() {
        hub.close();
    }

    private Path repository(String name) throws IOException {
        Path folder = temporary.resolve("served").resolve(name);
        hub.folders.put("datasets/" + name, folder);
        return Files.createDirectories(folder);
    }

    private void write(String repository, String file, String text) throws IOException {
        Path path = repository(repository).resolve(file);
        Files.createDirectories(path.getParent());
        Files.writeString(path, text);
    }

    /// The documented contents of data.zip, and entries that a pull must not extract.
    private static List<String> longBenchEntries() {
        List<String> published = Stream.of("longbench", "longbench-e")
                .flatMap(suite -> PublishedSuite.named(suite).pieces().stream())
                .map(PublishedSuite.Piece::entry)
                .toList();
        assertThat(published).hasSize(34).contains("data/hotpotqa.jsonl", "data/hotpotqa_e.jsonl");
        return Stream.concat(published.stream(), Stream.of("data/extra.jsonl", "../evil.jsonl", "/tmp/evil.jsonl"))
                .toList();
    }

    private static void zip(Path file, List<String> entries) throws IOException {
        try (var zip = new ZipOutputStream(Files.newOutputStream(file))) {
            // Not compressed, so that a changed byte changes the text instead of breaking the
            // stream.
            zip.setLevel(0);
            for (String entry : entries) {
                zip.putNextEntry(new ZipEntry(entry));
                zip.write((ROW + ROW).getBytes(StandardCharsets.UTF_8));
            }
        }
    }

    private Shell shell() {
        return new Shell()
                .with("HF_ENDPOINT", hub.endpoint())
                .with("HF_TOKEN", LoopbackHub.TOKEN)
                .with("HF_HUB_CACHE", temporary.resolve("hub").toString());
    }

    private Shell.Result pull(Object... arguments) {
        return shell().run(Stream.concat(Stream.of("pull", "--data-dir", data), Stream.of(arguments))
                .toArray());
    }

    private int size(String task) {
        try (Tokenizer tokenizer = Tokenizers.open(Fixtures.needleModel())) {
            var options = new TaskContext.Options("nvidia", null, data);
            return TaskCatalog.open(task, new TaskContext(tokenizer, PromptFormat.plain(tokenizer), 4096, 1, options))
                    .size();
        }
    }

    private List<String> files() throws IOException {
        if (!Files.exists(data)) {
            return List.of();
        }
        try (Stream<Path> files = Files.walk(data)) {
            return files.filter(Files::isRegularFile)
                    .map(file -> data.relativize(file).toString())
                    .sorted()
                    .toList();
        }
    }

    @Test
    void longBenchComesOutOfItsArchive() throws IOException {
        Shell.Result result =
                pull("--suite", "longbench,longbench-e", "--progress").succeeded();
        assertThat(result.out().lines())
                .containsExactly(
                        data.resolve("longbench").toString(),
                        data.resolve("longbench-e").toString());
        assertThat(result.err()).contains("data.zip: 100 %", "hotpotqa.jsonl: 100 %");
        assertThat(size("longbench/hotpotqa")).isEqualTo(2);
        assertThat(size("longbench-e/hotpotqa")).isEqualTo(2);
        assertThat(files()).hasSize(34).allMatch(file -> file.matches("longbench(-e)?/[a-z0-9][\\w-]+\\.jsonl"));
        assertThat(temporary.resolve("evil.jsonl")).doesNotExist();

        hub.seen.clear();
        Path file = data.resolve("longbench/hotpotqa.jsonl");
        Files.writeString(file, "{}");
        assertThat(pull("--suite", "longbench").succeeded().err())
                .contains("hotpotqa.jsonl: had different content")
                .doesNotContain("musique");
        assertThat(file).hasContent(ROW + ROW);
        assertThat(hub.seen).hasSize(1).first().asString().startsWith("GET /api/datasets/");
    }

    @Test
    void aTaskComesAlone() throws IOException {
        pull("--suite", "longbench/hotpotqa").succeeded();
        assertThat(files()).containsExactly("longbench/hotpotqa.jsonl");
    }

    @Test
    void otherSuitesLieOpenInTheirRepositories() throws IOException {
        String infinite = "{\"id\": 1, \"context\": \"Long.\", \"input\": \"Where?\", \"answer\": [\"Paris\"],"
                + " \"options\": []}\n";
        write("xinrongzhang2022/InfiniteBench", "passkey.jsonl", infinite);
        write("microsoft/SCBench", "data/scbench_kv.jsonl", "{\"context\": \"x\", \"multi_turns\": []}\n");
        write(
                "THUDM/LongBench-v2",
                "data.json",
                "[{\"_id\": \"1\", \"question\": \"Where?\", \"choice_A\": \"a\", \"choice_B\": \"b\", \"choice_C\": \"c\","
                        + " \"choice_D\": \"d\", \"answer\": \"A\", \"context\": \"Paris.\", \"length\": \"short\","
                        + " \"difficulty\": \"easy\", \"domain\": \"x\"}]");
        String three = "infinitebench/passkey,scbench/scbench_kv,longbench-v2";
        assertThat(pull("--suite", three).succeeded().out().lines())
                .containsExactly(
                        data.resolve("infinitebench").toString(),
                        data.resolve("scbench").toString(),
                        data.resolve("longbench-v2").toString());
        assertThat(size("infinitebench/passkey")).isEqualTo(1);
        assertThat(size("scbench/scbench_kv@shared")).isEqualTo(1);
        assertThat(size("longbench-v2/short")).isEqualTo(1);
        pull("--suite", "infinitebench").refused(1, "xinrongzhang2022/InfiniteBench: has no number_string.jsonl, ");
    }

    @Test
    void anyFilesOfAnyDatasetGoWhereTold() throws IOException {
        write("acme/mirror", "test/passkey.jsonl", "{}\n");
        pull("--dataset", "acme/mirror", "--files", "test/passkey.jsonl", "--to", "infinitebench")
                .succeeded();
        assertThat(files()).containsExactly("infinitebench/passkey.jsonl");
        pull("--dataset", "acme/mirror", "--files", "test/passkey.jsonl,b.jsonl", "--to", "x")
                .refused(1, "acme/mirror: has no b.jsonl among its 1 files (test/passkey.jsonl)");
        zip(repository("acme/mirror").resolve("data.zip"), longBenchEntries());
        pull("--suite", "longbench", "--dataset", "acme/mirror").succeeded();
        assertThat(size("longbench/hotpotqa")).isEqualTo(2);
    }

    @Test
    void aBrokenArchiveLeavesNoFile() throws IOException {
        Path archive = repository("THUDM/LongBench").resolve("data.zip");
        byte[] whole = Files.readAllBytes(archive);
        Files.write(archive, Arrays.copyOf(whole, whole.length / 2));
        Shell.Result cut = pull("--suite", "longbench");
        cut.refused(1, "is not a complete ZIP archive", "Delete this file and pull again");
        assertThat(files()).isEmpty();

        // The file that the message names must be deleted.
        byte[] other = whole.clone();
        other[new String(whole, StandardCharsets.ISO_8859_1).indexOf("Where?")] ^= 1;
        Files.write(archive, other);
        Files.delete(Path.of(cut.err().replaceFirst("shadowkv: ", "").replaceFirst("(?s): is not .*", "")));
        Shell.Result changed = pull("--suite", "longbench");
        changed.refused(1, "the content of data/narrativeqa.jsonl does not match the archive's directory");
        assertThat(files()).isEmpty();

        Files.write(archive, whole);
        Files.delete(Path.of(changed.err().replaceFirst("shadowkv: ", "").replaceFirst("(?s): is not .*", "")));
        pull("--suite", "longbench").succeeded();
        assertThat(files()).hasSize(21);
    }

    @Test
    void anArchiveWithoutAnExpectedEntryIsRefusedWhole() throws IOException {
        zip(repository("THUDM/LongBench").resolve("data.zip"), List.of("data/hotpotqa.jsonl"));
        pull("--suite", "longbench").refused(1, "the archive has no data/narrativeqa.jsonl, data/qasper.jsonl, ");
        assertThat(files()).isEmpty();
    }

    @Test
    void goesOnWhereItEnded() throws IOException {
        hub.cuts.put("data.zip", 1000);
        assertThat(pull("--suite", "longbench").succeeded().err()).contains("after 1000 of ", "trying again");
        assertThat(hub.seen).anyMatch(request -> request.endsWith("data.zip bytes=1000-"));

        Path other = temporary.resolve("other");
        shell().cancelled()
                .run("pull", "--suite", "longbench", "--data-dir", other)
                .refused(1, "interrupted; downloaded data is kept");
        assertThat(Shell.names(other.resolve("longbench"))).isEmpty();
        shell().run("pull", "--suite", "longbench", "--data-dir", other).succeeded();
        assertThat(Shell.names(other.resolve("longbench"))).hasSize(21);
    }

    @Test
    void saysWhyTheHubRefuses() throws IOException {
        hub.folders.clear();
        pull("--suite", "longbench").refused(1, "THUDM/LongBench", "status 404");
        shell().with("HF_TOKEN", "")
                .run("pull", "--suite", "longbench", "--data-dir", data)
                .refused(1, "THUDM/LongBench", "HF_TOKEN");
        assertThat(files()).isEmpty();
    }

    @Test
    void rulersFilesAreGivenOrFetchedFromAPlainAddress() throws IOException {
        Path given = Files.writeString(temporary.resolve("dev-v2.0.json"), SQUAD);
        pull("--suite", "ruler", "--from", given).succeeded();
        assertThat(files()).containsExactly("ruler/squad.json");
        assertThat(size("ruler/qa_1")).isPositive();

        hub.folders.put("plain", temporary);
        Files.delete(data.resolve("ruler/squad.json"));
        String address = hub.endpoint() + "/plain/dev-v2.0.json";
        pull("--suite", "ruler", "--from", "squad.json=" + address + "?a=b").succeeded();
        assertThat(files()).containsExactly("ruler/squad.json");
        assertThat(data.resolve("ruler/squad.json")).hasContent(SQUAD);
        pull("--suite", "ruler", "--from", hub.endpoint() + "/plain/hotpotqa.json")
                .refused(1, "plain/hotpotqa.json: the server refused (status 404)");
        assertThat(files()).containsExactly("ruler/squad.json");
    }

    @Test
    void whatIsNoWholeFileIsNotTaken() throws IOException {
        for (String text : List.of("<html>Not found</html>", "{\"data\": [1, 2", "")) {
            Path given = Files.writeString(temporary.resolve("squad.json"), text);
            pull("--suite", "ruler", "--from", given).refused(1, "squad.json: is not a complete JSON file");
        }
        pull("--suite", "ruler", "--from", "nowhere/squad.json").refused(1, "nowhere/squad.json: no such file");
        assertThat(files()).isEmpty();
        Path archive = repository("THUDM/LongBench").resolve("data.zip");
        pull("--suite", "longbench", "--from", archive).succeeded();
        assertThat(files()).hasSize(21);
        assertThat(hub.seen).isEmpty();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "--suite longbank | \"longbank\" is not a suite with published files; there are longbench, longbench-e, "
                        + "longbench-v2, infinitebench, scbench, ruler",
                "--suite scbench/kv | scbench has published files for the tasks scbench_kv, ",
                "--suite longbench --from x.zip | which of longbench's files is it? They are data.zip; write --from",
                "--suite ruler | qa_1 reads SQuAD 2.0's dev set, dev-v2.0.json; qa_2 reads HotpotQA's dev set",
                "--suite ruler,longbench --from squad.json | --from cannot be given with several suites",
                "--suite longbench --to x | --to cannot be given with --suite",
                "a/b --suite longbench | --suite, --data-dir cannot be given with a model",
                "--dataset a/b --files x.json | nothing to pull; give ORG/NAME of a model",
                "--dataset a/b --files ../x --to y | \"../x\" is not a file of a repository",
                "--dataset ../b --files x --to y | is not a repository; expected ORG/NAME",
                "--dataset a/b --files x/a,y/a --to y | two files named a",
            })
    void refusesWithTheReason(String line, String reason) throws IOException {
        pull((Object[]) line.split(" ")).refused(2, reason, "Try 'shadowkv pull --help'.");
        assertThat(files()).isEmpty();
        assertThat(hub.seen).isEmpty();
    }

    @Test
    void everySuiteIsOneOfTheCatalog() {
        Set<String> names =
                TaskCatalog.suites().stream().map(suite -> suite.name()).collect(Collectors.toSet());
        assertThat(PublishedSuite.ALL).extracting(PublishedSuite::name).isSubsetOf(names);
        assertThat(PublishedSuite.ALL)
                .allSatisfy(suite -> assertThat(suite.pieces())
                        .allSatisfy(piece -> assertThat(TaskCatalog.names(List.of(suite.name() + "/" + piece.task())))
                                .isNotEmpty()));
    }
}
