package io.shadowkv.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.shadowkv.server.http.Exchange;
import io.shadowkv.server.http.Outgoing;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// Mutants of valid requests, malformed in JSON and in UTF-8, given to the server's handler without
/// HTTP. The engine takes no requests, so that what is well-formed ends as 503.
///
/// `-Dshadowkv.fuzz.bodies=1000000` runs more of them, `-Dshadowkv.fuzz.seed=7` others.
class FuzzedBodiesTest {
    private static final int BODIES = Integer.getInteger("shadowkv.fuzz.bodies", 100_000);
    private static final long SEED = Long.getLong("shadowkv.fuzz.seed", 20_261_130L);
    private static final String INSERTED = "{}[]\",:0-eE.\\ntfu";

    /// Path, then a valid body.
    private static final List<List<String>> VALID = List.of(
            List.of(
                    "/v1/chat/completions",
                    "{\"model\":\"needle-32k\",\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\","
                            + "\"text\":\"Grüße \\uD83D\\uDE42\"}]}],\"max_tokens\":1,\"temperature\":0.5,"
                            + "\"stop\":[\"a\",\"b\"],\"stream\":true,\"logit_bias\":{\"7\":1},\"seed\":-3}"),
            List.of(
                    "/v1/chat/completions",
                    "{\"messages\":[{\"role\":\"user\",\"content\":\"x\"}],\"tools\":[{\"type\":\"function\","
                            + "\"function\":{\"name\":\"f\",\"parameters\":{\"type\":\"object\",\"properties\":"
                            + "{\"a\":{\"type\":\"string\"}}}}}],\"tool_choice\":\"required\",\"n\":2}"),
            List.of(
                    "/v1/chat/completions",
                    "{\"messages\":[{\"role\":\"user\",\"content\":\"x\"}],\"response_format\":{\"type\":"
                            + "\"json_schema\",\"json_schema\":{\"name\":\"s\",\"schema\":{\"type\":\"integer\","
                            + "\"minimum\":0}}},\"stream_options\":{\"include_usage\":true}}"),
            List.of(
                    "/v1/completions",
                    "{\"prompt\":[[1,2,3],\"é\"],\"max_tokens\":1,\"echo\":true,\"logprobs\":null,"
                            + "\"stop_token_ids\":[5],\"top_k\":-1,\"frequency_penalty\":-2}"),
            List.of("/v1/completions", "{\"prompt\":\"x\",\"max_tokens\":0,\"echo\":true,\"logprobs\":1}"),
            List.of("/v1/documents", "{\"id\":\"d\",\"name\":\"n\",\"text\":\"über\",\"system\":\"s\",\"chat\":true}"),
            List.of("/v1/documents/load", "{\"id\":\"d\"}"),
            List.of("/tokenize", "{\"prompt\":\"Grüße\",\"add_special_tokens\":true}"),
            List.of(
                    "/tokenize",
                    "{\"messages\":[{\"role\":\"system\",\"content\":\"a\"},{\"role\":\"user\",\"content\":\"b\"}]}"),
            List.of("/detokenize", "{\"tokens\":[1,2,3]}"));

    @Test
    void everyMutantIsAnswered() throws Exception {
        try (TestServer server = TestServer.start()) {
            assertThat(server.engine.drain(Duration.ofMinutes(1))).isTrue();
            Map<Integer, Integer> statuses = new TreeMap<>();
            Random random = new Random(SEED);
            for (int i = 0; i < BODIES; i++) {
                List<String> valid = VALID.get(i % VALID.size());
                byte[] body = mutant(valid.get(1).getBytes(StandardCharsets.UTF_8), random);
                Recorded exchange = new Recorded(valid.getFirst(), body);
                server.server.handle(exchange);
                check(exchange, i);
                statuses.merge(exchange.status, 1, Integer::sum);
            }
            assertThat(server.defects).isEmpty();
            // Mutants get beyond the parser: some are answered, and some would be if the engine took requests.
            assertThat(statuses).containsKeys(200, 400, 503);
        }
    }

    private static void check(Recorded exchange, int number) {
        if (exchange.status == 200) {
            assertThat(JsonMapper.shared()
                            .readTree(exchange.answer.toByteArray())
                            .isObject())
                    .as("body " + number)
                    .isTrue();
        } else {
            String shown = "seed " + SEED + ", body " + number + ", " + exchange.path + ": "
                    + new String(exchange.body, StandardCharsets.UTF_8) + " -> " + exchange.status + " "
                    + exchange.answer.toString(StandardCharsets.UTF_8);
            assertThat(exchange.status).as(shown).isIn(400, 404, 409, 503);
            JsonNode error = JsonMapper.shared().readTree(exchange.answer.toByteArray());
            assertThat(error.path("error").propertyNames())
                    .as(shown)
                    .containsExactly("message", "type", "param", "code");
        }
    }

    private static byte[] mutant(byte[] valid, Random random) {
        StringBuilder bytes = new StringBuilder(new String(valid, StandardCharsets.ISO_8859_1));
        for (int changes = 1 + random.nextInt(4); changes > 0; changes--) {
            int at = random.nextInt(bytes.length());
            switch (random.nextInt(5)) {
                case 0 -> bytes.setCharAt(at, (char) random.nextInt(256));
                case 1 -> bytes.deleteCharAt(at);
                case 2 -> bytes.insert(at, INSERTED.charAt(random.nextInt(INSERTED.length())));
                case 3 -> bytes.delete(at, Math.min(bytes.length(), at + random.nextInt(20) + 1));
                default -> bytes.insert(at, bytes.substring(at, Math.min(bytes.length(), at + random.nextInt(30))));
            }
            if (bytes.isEmpty()) {
                bytes.append(' ');
            }
        }
        return bytes.toString().getBytes(StandardCharsets.ISO_8859_1);
    }

    /// An exchange without a connection.
    private static final class Recorded implements Exchange {
        private final String path;
        private final byte[] body;
        private final ByteArrayOutputStream answer = new ByteArrayOutputStream();
        private int status;

        Recorded(String path, byte[] body) {
            this.path = path;
            this.body = body;
        }

        @Override
        public String method() {
            return "POST";
        }

        @Override
        public String path() {
            return path;
        }

        @Override
        public @Nullable String query(String name) {
            return null;
        }

        @Override
        public @Nullable String header(String name) {
            return null;
        }

        @Override
        public String remote() {
            return "test";
        }

        @Override
        public byte[] body(long limit) {
            return body;
        }

        @Override
        public void respond(int code, Map<String, String> headers, byte[] bytes) {
            status = code;
            answer.writeBytes(bytes);
        }

        @Override
        public Outgoing open(int code, Map<String, String> headers) {
            status = code;
            return new Outgoing() {
                @Override
                public void send(byte[] bytes) {
                    answer.writeBytes(bytes);
                }

                @Override
                public void close() {}
            };
        }

        @Override
        public int status() {
            return status;
        }

        @Override
        public void note(String name, Object value) {}
    }
}
