package io.shadowkv.text.tokenizer;

import static io.shadowkv.text.tokenizer.GoldenLines.ids;
import static io.shadowkv.text.tokenizer.GoldenLines.text;

import io.shadowkv.text.ByteAlphabet;
import io.shadowkv.text.IncrementalDetokenizer;
import io.shadowkv.text.Json;
import io.shadowkv.text.MarkedText;
import io.shadowkv.text.Tokenizer;
import io.shadowkv.text.TokenizerConfig;
import io.shadowkv.text.chat.ChatMessage;
import io.shadowkv.text.chat.ChatTemplate;
import io.shadowkv.text.chat.ChatTemplateException;
import io.shadowkv.text.tokenizer.GoldenLines.Comparison;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import tools.jackson.databind.JsonNode;

/// Encodes, decodes and streams every golden string exactly like the libraries that created the
/// files.
class GoldenTokenizerTest {
    @TestFactory
    Stream<DynamicTest> encodesAsTheLibrary() {
        return tests("golden_encode.jsonl", (tokenizer, line, comparison) -> {
            String text = text(line.path("text"));
            if (line.has("ids")) {
                comparison.same("ids of " + text, tokenizer.encode(text, true), ids(line.path("ids")));
                comparison.same(
                        "plain ids of " + text, tokenizer.encode(text, false), ids(line.path("ids_no_special")));
                tokensOf(tokenizer, text, line, comparison);
            } else {
                comparison.same(
                        "as text " + text, tokenizer.encodeAsText(text), ids(line.path("ids_specials_as_text")));
                comparison.same(
                        "recognised " + text, tokenizer.encode(text, false), ids(line.path("ids_specials_recognised")));
                comparison.same("prefixed " + text, tokenizer.encode(text, true), ids(line.path("ids_with_prefix")));
            }
        });
    }

    /// A text with literal positions is encoded in another way, which must split all other text
    /// like the library.
    @TestFactory
    Stream<DynamicTest> encodesBesideLiteralsAsTheLibrary() {
        return tests("golden_encode.jsonl", (tokenizer, line, comparison) -> {
            String text = text(line.path("text"));
            boolean isRanked = line.has("ids_specials_recognised");
            comparison.same(
                    "with literals " + text,
                    tokenizer.encode(new MarkedText(text, List.of(text.length()))),
                    ids(line.path(isRanked ? "ids_specials_recognised" : "ids_no_special")));
        });
    }

    @TestFactory
    Stream<DynamicTest> decodesWhatItEncoded() {
        return tests("golden_encode.jsonl", (tokenizer, line, comparison) -> {
            boolean isRanked = line.has("ids_specials_recognised");
            int[] ids = ids(line.path(isRanked ? "ids_specials_recognised" : "ids"));
            decodesAndStreams(tokenizer, ids, false, text(line.path("decode")), comparison);
            if (!isRanked) {
                decodesAndStreams(tokenizer, ids, true, text(line.path("decode_skip_special")), comparison);
                int[] plain = ids(line.path("ids_no_special"));
                decodesAndStreams(tokenizer, plain, false, text(line.path("decode_no_special_ids")), comparison);
                if (line.has("stream_joined")) {
                    decodesAndStreams(tokenizer, plain, false, text(line.path("stream_joined")), comparison);
                }
            }
        });
    }

    @TestFactory
    Stream<DynamicTest> decodesAnyIds() {
        return tests("golden_decode.jsonl", (tokenizer, line, comparison) -> {
            int[] ids = ids(line.path("ids"));
            decodesAndStreams(tokenizer, ids, false, text(line.path("decode")), comparison);
            if (line.has("decode_skip_special")) {
                decodesAndStreams(tokenizer, ids, true, text(line.path("decode_skip_special")), comparison);
            }
            if (line.has("decode_bytes_base64")) {
                comparison.same("bytes of " + line, base64(tokenizer, ids), text(line.path("decode_bytes_base64")));
            }
        });
    }

    @TestFactory
    Stream<DynamicTest> encodesRenderedConversations() {
        return tests("golden_chat.jsonl", (tokenizer, line, comparison) -> {
            JsonNode ids = line.path(line.has("ids") ? "ids" : "ids_no_special");
            if (line.has("rendered")) {
                String rendered = text(line.path("rendered"));
                comparison.same("ids of " + rendered, tokenizer.encode(rendered, false), ids(ids));
            }
        });
    }

    @TestFactory
    Stream<DynamicTest> rendersConversationsAsTransformersDoes() {
        return GoldenLines.foldersWith("golden_chat.jsonl").stream()
                .map(folder -> DynamicTest.dynamicTest(folder.getFileName().toString(), () -> {
                    ChatTemplate template = ChatTemplate.open(folder).orElseThrow();
                    Comparison comparison = new Comparison();
                    for (JsonNode line : GoldenLines.lines(folder.resolve("golden_chat.jsonl"))) {
                        String expected = line.has("error") ? "refused" : text(line.path("rendered"));
                        comparison.same("rendered " + line, rendered(template, line), expected);
                    }
                    comparison.done(40);
                }));
    }

    @SuppressWarnings("unchecked")
    private static String rendered(ChatTemplate template, JsonNode line) {
        List<ChatMessage> messages = Json.elements(line.path("messages")).stream()
                .map(message -> ChatMessage.of((Map<String, Object>) Objects.requireNonNull(Json.value(message))))
                .toList();
        try {
            return template.render(messages, line.path("add_generation_prompt").asBoolean());
        } catch (ChatTemplateException e) {
            return "refused";
        }
    }

    @Test
    void splitsByTheRankTokenizersPattern() {
        Comparison comparison = new Comparison();
        for (JsonNode line : GoldenLines.lines(GoldenLines.root().resolve("split_llama3.jsonl"))) {
            String text = text(line.path("text"));
            comparison.same("pieces of " + text, RankTokenizer.pieces(text), strings(line.path("pieces")));
        }
        JsonNode patterns = GoldenLines.object(GoldenLines.root().resolve("split_patterns.json"));
        comparison.same("GLM's pattern", RankTokenizer.SPLIT, text(patterns.path("glm")));
        comparison.same("Llama-3's pattern", RankTokenizer.SPLIT, text(patterns.path("llama3")));
        comparison.done(200);
    }

    /// A tokenizer whose vocabulary is the expected pieces shows where the native library splits.
    @TestFactory
    Stream<DynamicTest> splitsByThePatternsOfTokenizerJson() {
        JsonNode patterns = GoldenLines.object(GoldenLines.root().resolve("split_patterns.json"));
        return Stream.of("llama3", "qwen2")
                .map(name -> DynamicTest.dynamicTest(name, () -> {
                    List<JsonNode> lines = GoldenLines.lines(GoldenLines.root().resolve("split_" + name + ".jsonl"));
                    Comparison comparison = new Comparison();
                    try (Tokenizer tokenizer = splitter(text(patterns.path(name)), lines)) {
                        for (JsonNode line : lines) {
                            String text = text(line.path("text"));
                            List<String> pieces = new ArrayList<>();
                            for (int id : tokenizer.encode(text, false)) {
                                pieces.add(tokenizer.token(id));
                            }
                            comparison.same("pieces of " + text, pieces, strings(line.path("pieces")));
                        }
                    }
                    comparison.done(200);
                }));
    }

    private static Tokenizer splitter(String pattern, List<JsonNode> lines) {
        var root = Json.object();
        var splitter = root.putObject("pre_tokenizer").put("type", "Split").put("behavior", "Isolated");
        splitter.put("invert", false).putObject("pattern").put("Regex", pattern);
        var vocabulary = root.putObject("model")
                .put("type", "WordLevel")
                .put("unk_token", "[unknown]")
                .putObject("vocab");
        vocabulary.put("[unknown]", 0);
        for (JsonNode line : lines) {
            for (String piece : strings(line.path("pieces"))) {
                vocabulary.put(
                        piece, vocabulary.has(piece) ? vocabulary.path(piece).asInt() : vocabulary.size());
            }
        }
        return JsonTokenizer.of(Json.text(root), "splitter", TokenizerConfig.empty(Path.of("none")));
    }

    /// Tests whole decoding, streamed decoding, and that streamed text never ends within a
    /// character.
    private static void decodesAndStreams(
            Tokenizer tokenizer, int[] ids, boolean skip, String expected, Comparison comparison) {
        String what = "skip " + skip + " " + Arrays.toString(ids);
        comparison.same("decode, " + what, tokenizer.decode(ids, skip), expected);
        IncrementalDetokenizer detokenizer = tokenizer.detokenizer(skip);
        StringBuilder joined = new StringBuilder();
        for (int id : ids) {
            joined.append(detokenizer.push(id));
            boolean isPrefix = expected.startsWith(joined.toString());
            boolean isHalf = !joined.isEmpty() && Character.isHighSurrogate(joined.charAt(joined.length() - 1));
            comparison.same("shown so far is final, " + what + " " + joined, isPrefix && !isHalf, true);
        }
        joined.append(detokenizer.finish());
        comparison.same("stream, " + what, joined.toString(), expected);
    }

    /// An added token that includes the blanks after it is in the file together with them.
    private static void tokensOf(Tokenizer tokenizer, String text, JsonNode line, Comparison comparison) {
        int[] ids = tokenizer.encode(text, false);
        List<String> expected = strings(line.path("tokens_no_special"));
        for (int i = 0; i < ids.length; i++) {
            String token = String.valueOf(tokenizer.token(ids[i]));
            String asWritten = token.startsWith("<|") ? expected.get(i).strip() : expected.get(i);
            comparison.same("token " + i + " of " + text, token, asWritten);
        }
    }

    private static String base64(Tokenizer tokenizer, int[] ids) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        for (int id : ids) {
            String token = tokenizer.token(id);
            bytes.writeBytes(token == null ? new byte[0] : ByteAlphabet.bytes(token));
        }
        return new String(Base64.getEncoder().encode(bytes.toByteArray()), StandardCharsets.ISO_8859_1);
    }

    private interface Check {
        void line(Tokenizer tokenizer, JsonNode line, Comparison comparison);
    }

    private static Stream<DynamicTest> tests(String file, Check check) {
        return GoldenLines.foldersWith(file).stream().map(folder -> test(folder, file, check));
    }

    private static DynamicTest test(Path folder, String file, Check check) {
        return DynamicTest.dynamicTest(folder.getFileName().toString(), () -> {
            Comparison comparison = new Comparison();
            try (Tokenizer tokenizer = Tokenizers.open(folder)) {
                for (JsonNode line : GoldenLines.lines(folder.resolve(file))) {
                    check.line(tokenizer, line, comparison);
                }
            }
            comparison.done(20);
        });
    }

    private static List<String> strings(JsonNode array) {
        return Json.elements(array).stream().map(JsonNode::asString).toList();
    }
}
