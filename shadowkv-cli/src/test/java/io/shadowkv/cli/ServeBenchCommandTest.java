package io.shadowkv.cli;

import static io.shadowkv.cli.Shell.shadowkv;
import static org.assertj.core.api.Assertions.assertThat;

import io.shadowkv.Fixtures;
import io.shadowkv.engine.EngineOptions;
import io.shadowkv.engine.serve.Backends;
import io.shadowkv.engine.serve.Engine;
import io.shadowkv.op.BackendProvider.BackendOptions;
import io.shadowkv.server.ApiServer;
import io.shadowkv.server.ServerLog;
import io.shadowkv.server.ServerOptions;
import java.io.IOException;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// `bench serve` against the real server with the bundled model, on the CPU.
class ServeBenchCommandTest {
    private static final ServerLog SILENT = new ServerLog() {
        @Override
        public void access(String line) {}

        @Override
        public void defect(String request, Throwable cause) {}
    };

    private static Backends.Choice backend;
    private static Engine engine;
    private static ApiServer server;

    @TempDir
    private Path folder;

    @BeforeAll
    static void start() {
        backend = Backends.open("cpu", new BackendOptions(0, 0, null));
        engine = Engine.open(Fixtures.needleModel(), backend.backend(), EngineOptions.DEFAULT);
        server = ApiServer.start(ServerOptions.DEFAULT.withPort(0).withApiKeys(List.of("secret")), SILENT);
        server.serve(engine, List.of("needle-32k"));
    }

    @AfterAll
    static void stop() {
        server.close();
        engine.close();
        backend.backend().close();
    }

    private static String url() {
        return "http://127.0.0.1:" + server.address().getPort();
    }

    private Object[] remote(Object... more) {
        return all(
                new Object[] {
                    "bench",
                    "serve",
                    "--url",
                    url() + "/v1/",
                    "--api-key",
                    "secret",
                    "--answer-tokens",
                    5,
                    "--warmup",
                    2
                },
                new Object[] {"--out", folder.resolve("x.jsonl"), "--page", folder.resolve("x.html")},
                more);
    }

    private static Object[] all(Object[]... parts) {
        return Stream.of(parts).flatMap(Stream::of).toArray();
    }

    private List<JsonNode> lines() throws IOException {
        return Files.readAllLines(folder.resolve("x.jsonl")).stream()
                .map(line -> JsonMapper.shared().readTree(line))
                .toList();
    }

    @Test
    void chatsAtSeveralRates() throws IOException {
        Shell.Result result = shadowkv(
                        remote("--rate", "20,40", "--requests", 6, "--prompt-tokens", "20,60", "--goal-ttft", 60_000))
                .succeeded();
        assertThat(result.out())
                .contains(
                        "needle-32k, full, 20.00 requests/s, Poisson arrivals",
                        "requests                             6 whole, 0 failed",
                        "request throughput (req/s)",
                        "request goodput (req/s)",
                        "(6 requests: first token <= 60000 ms, per token any)",
                        "time to first token (TTFT)",
                        "end to end (E2EL)");
        assertThat(lines()).hasSize(2);
        for (JsonNode line : lines()) {
            assertThat(line.at("/benchmark").asString()).isEqualTo("serve");
            assertThat(line.at("/completed").asInt()).isEqualTo(6);
            assertThat(line.at("/failed").asInt()).isZero();
            assertThat(line.at("/total_output_tokens").asInt()).isEqualTo(30);
            assertThat(line.at("/total_input_tokens").asInt()).isBetween(6 * 15, 6 * 90);
            assertThat(line.at("/request_goodput").asDouble())
                    .isEqualTo(line.at("/request_throughput").asDouble());
            assertThat(line.at("/median_ttft_ms").asDouble()).isPositive();
            assertThat(line.at("/median_itl_ms").asDouble()).isPositive();
            assertThat(line.at("/p99_e2el_ms").asDouble())
                    .isGreaterThanOrEqualTo(line.at("/median_ttft_ms").asDouble());
            assertThat(line.at("/server/method").asString()).isEqualTo("full");
            assertThat(line.at("/server/strategy").asString()).contains("Full");
            assertThat(line.at("/trace/kind").asString()).isEqualTo("chat");
            assertThat(line.at("/commit").asString()).isNotEmpty();
        }
        assertThat(lines()).extracting(line -> line.at("/request_rate").asInt()).containsExactly(20, 40);
        assertThat(Files.readString(folder.resolve("x.html")))
                .contains(
                        "Serving benchmark", "requests/s that meet the goal", "time to first token, p99 (ms)", "<svg");
    }

    /// Documents that were read once are not read again, whether they are named or found.
    @ParameterizedTest
    @CsvSource({"api, ids", "prefix, ids", "api, text", "plain, ids"})
    void questionsAboutDocuments(String use, String prompts) throws IOException {
        shadowkv(remote(
                        "--trace",
                        "documents",
                        "--document-use",
                        use,
                        "--prompts",
                        prompts,
                        "--documents",
                        2,
                        "--document-tokens",
                        "200,400",
                        "--questions",
                        2,
                        "--question-tokens",
                        8,
                        "--concurrency",
                        2))
                .succeeded();
        JsonNode line = lines().getFirst();
        assertThat(line.at("/completed").asInt()).as(line.toString()).isEqualTo(4);
        assertThat(line.at("/max_concurrent_requests").asInt()).isEqualTo(2);
        if (use.equals("plain")) {
            assertThat(line.at("/total_cached_tokens").asInt()).isZero();
            assertThat(line.has("documents")).isFalse();
        } else {
            assertThat(line.at("/documents/read_meanwhile/count").asInt()).isEqualTo(2);
            assertThat(line.at("/documents/read_meanwhile/tokens").asInt()).isEqualTo(600);
        }
        if (prompts.equals("ids")) {
            assertThat(line.at("/total_input_tokens").asInt()).isEqualTo(2 * 600 + 4 * 8);
        }
        if (!use.equals("plain")) {
            int questions = line.at("/total_input_tokens").asInt()
                    - line.at("/total_cached_tokens").asInt();
            assertThat(questions).isBetween(4 * 4, 4 * 16);
        }
        // The client leaves no documents behind.
        assertThat(server.generatedTokens()).isPositive();
        Shell.Result again =
                shadowkv(remote("--requests", 1, "--concurrency", 1)).succeeded();
        assertThat(again.out()).contains("1 whole");
    }

    @Test
    void documentsReadBeforehandServeAllLoads() throws IOException {
        Shell.Result result = shadowkv(remote(
                        "--trace",
                        "documents",
                        "--documents",
                        2,
                        "--document-tokens",
                        300,
                        "--questions",
                        2,
                        "--question-tokens",
                        8,
                        "--concurrency",
                        "1,2",
                        "--read-first",
                        "--order",
                        "grouped"))
                .succeeded();
        assertThat(result.out())
                .contains("documents read before the first request 2 of 600 tokens", "goodput with the reading before");
        assertThat(lines().get(0).at("/documents/read_first/count").asInt()).isEqualTo(2);
        assertThat(lines().get(1).at("/documents/read_first/count").asInt()).isZero();
        assertThat(lines())
                .allSatisfy(line ->
                        assertThat(line.at("/total_cached_tokens").asInt()).isEqualTo(1200))
                .allSatisfy(line -> assertThat(
                                line.at("/documents/read_meanwhile/count").asInt())
                        .isZero());
    }

    @Test
    void aServerInThisProcessForEachMethodAndTheBareEngine() throws IOException {
        Path file = folder.resolve("local.jsonl");
        Shell.Result result = shadowkv(
                        "bench",
                        "serve",
                        "--model",
                        "needle-32k",
                        "--methods",
                        "full,shadowkv",
                        "--bare",
                        "--backend",
                        "cpu",
                        "--trace",
                        "documents",
                        "--documents",
                        2,
                        "--document-tokens",
                        "600,900",
                        "--questions",
                        2,
                        "--question-tokens",
                        8,
                        "--answer-tokens",
                        4,
                        "--read-first",
                        "--concurrency",
                        2,
                        "--warmup",
                        2,
                        "--budget",
                        64,
                        "--outliers",
                        4,
                        "--rank",
                        32,
                        "--generated-tokens",
                        32,
                        "--hit-rate",
                        0.6,
                        "--max-batch",
                        4,
                        "--out",
                        file,
                        "--page",
                        folder.resolve("local.html"))
                .succeeded();
        assertThat(result.out())
                .contains("2 clients: goodput of shadowkv ", "2 clients: goodput of shadowkv", "(bare engine)")
                .contains("full, 2 clients: server compared with the bare engine: request throughput ")
                .contains("shadowkv, 2 clients: server compared with the bare engine: request throughput ");
        List<JsonNode> lines = Files.readAllLines(file).stream()
                .map(line -> JsonMapper.shared().readTree(line))
                .toList();
        assertThat(lines)
                .extracting(line ->
                        line.at("/method").asString() + " " + line.at("/via").asString())
                .containsExactly("full server", "full engine", "shadowkv server", "shadowkv engine");
        assertThat(lines).allSatisfy(line -> {
            assertThat(line.at("/completed").asInt()).as(line.toString()).isEqualTo(4);
            assertThat(line.at("/total_output_tokens").asInt()).isEqualTo(16);
            assertThat(line.at("/total_input_tokens").asInt()).isEqualTo(2 * 1500 + 4 * 8);
            assertThat(line.at("/total_cached_tokens").asInt()).isEqualTo(2 * 1500);
        });
        assertThat(lines.get(2).at("/forced_hit_rate").asDouble()).isEqualTo(0.6);
    }

    @Test
    void aServerThatRefusesEndsTheCommandWithItsReason() throws IOException {
        shadowkv("bench", "serve", "--url", url(), "--rate", 1).refused(1, "shadowkv: HTTP 401 invalid_api_key: ");
        shadowkv("bench", "serve", "--url", url(), "--api-key", "secret", "--served-name", "gpt", "--rate", 1)
                .refused(1, "no model gpt");
        shadowkv(remote("--rate", 1, "--prompt-tokens", 40_000, "--requests", 1))
                .refused(1, "HTTP 400 context_length_exceeded: ");
        int closed = closedPort();
        shadowkv("bench", "serve", "--url", "http://127.0.0.1:" + closed, "--rate", 1)
                .refused(1, "no connection: cannot connect to http://127.0.0.1:" + closed);
    }

    private static int closedPort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0)) {
            return socket.getLocalPort();
        }
    }

    @Test
    void interruptedItSaysSo() {
        new Shell()
                .cancelled()
                .run(remote("--rate", 1))
                .refused(1, "interrupted; the results of finished loads are kept");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "--url http://h | give either --rate",
                "--url http://h --rate 1 --concurrency 1 | give either --rate",
                "--url http://h --rate 0 | --rate is 0.0; expected more than 0",
                "--url http://h --concurrency 0 | --concurrency is 0; expected 1 or more",
                "--url ftp://h --rate 1 | --url is ftp://h; expected the address of a server",
                "--url http://h --rate 1 --bare | --bare is given with --url",
                "--url http://h --rate 1 --methods full | --methods is given with --url",
                "--url http://h --rate 1 --hit-rate 0.5 | --hit-rate is given with --url",
                "--url http://h --rate 1 --devices 0 | --devices is given with --url",
                "--url http://h --rate 1 --scale | --scale is given with --url",
                "--url http://h --rate 1 --max-batch 2 | --max-batch is given with --url",
                "--url http://h --rate 1 --kept-prompts 2 | --kept-prompts is given with --url",
                "--url http://h --rate 1 --model needle-32k | --model is given with --url",
                "--url http://h --rate 1 --random llama-3.1-8b | --random is given with --url",
                "--url http://h --rate 1 --layers 2 | --layers is given with --url",
                "--url http://h --rate 1 --rank 8 | --rank is given with --url",
                "--url http://h --rate 1 --backend cpu | --backend is given with --url",
                "--model needle-32k --rate 1 --api-key k | --api-key is given without --url",
                "--model needle-32k --rate 1 --served-name n | --served-name is given without --url",
                "--model needle-32k --rate 1 --scale | --scale is given without several --devices",
                "--model needle-32k --rate 1 --bare --prompts text | --bare is given with --prompts text",
                "--url http://h --rate 1 --seconds 0 | --seconds is 0.0; expected more than 0",
                "--url http://h --rate 1 --goal-ttft 0 | expected more than 0",
                "--url http://h --rate 1 --warmup -1 | --warmup is -1; expected 0 or more",
                "--url http://h --rate 1 --held 0 --trace documents | --held is 0; expected 1 or more",
                "--url http://h --rate 1 --trace documents --requests 4 | --requests is given with --trace documents",
                "--url http://h --rate 1 --prompt-tokens 10,20,30 | --prompt-tokens has 3 values",
                "--url http://h --rate 1 --prompt-tokens 20,10 | expected 20 or more",
                "--model needle-32k --rate 1 --devices 0,0 | --devices is [0, 0]; expected different numbers of GPUs",
                "--model needle-32k --rate 1 --devices 0,1 --device 1 | --device and --devices are both given",
                "--model needle-32k --rate 1 --devices 0,1 --bare | --bare is given with several --devices",
                "--model needle-32k --rate 1 --hit-rate 60 | --hit-rate is 60.0; expected 0 to 1",
                "--rate 1 | no model is given"
            })
    void refusesWhatCannotBeMeant(String arguments, String message) {
        shadowkv(all(new Object[] {"bench", "serve"}, arguments.split(" "))).refused(2, message);
    }
}
