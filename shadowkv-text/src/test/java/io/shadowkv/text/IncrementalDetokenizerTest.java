package io.shadowkv.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shadowkv.text.tokenizer.GoldenLines;
import io.shadowkv.text.tokenizer.JsonTokenizer;
import io.shadowkv.text.tokenizer.Tokenizers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Compares streamed text with the library's decoding of all ids, for random ids.
class IncrementalDetokenizerTest {
    private static final long SEED = 20261123;

    @ParameterizedTest
    @ValueSource(strings = {"bbpe-llama3", "bbpe-qwen2", "sp-phi3", "sp-yi", "sp-metaspace", "glm-tiktoken"})
    void joinsToTheWholeDecode(String kind) {
        SplittableRandom random = new SplittableRandom(SEED);
        try (Tokenizer tokenizer = Tokenizers.open(GoldenLines.root().resolve(kind))) {
            IncrementalDetokenizer detokenizer = tokenizer.detokenizer(true);
            for (int round = 0; round < 1000; round++) {
                // Low ids are mostly single bytes, which form characters in pieces.
                int bound = round % 3 == 0 ? 300 : tokenizer.vocabularySize();
                int[] ids = random.ints(random.nextInt(40), 0, bound).toArray();
                StringBuilder joined = new StringBuilder();
                String whole = tokenizer instanceof JsonTokenizer json
                        ? json.libraryDecode(ids, true)
                        : tokenizer.decode(ids, true);
                for (int id : ids) {
                    joined.append(detokenizer.push(id));
                    assertThat(whole).startsWith(joined.toString());
                }
                joined.append(detokenizer.finish());
                assertThat(joined).as("seed %d, round %d", SEED, round).hasToString(whole);
            }
        }
    }

    @Test
    void holdsHalfACharacter() {
        try (Tokenizer tokenizer = Tokenizers.open(GoldenLines.root().resolve("bbpe-llama3"))) {
            byte[] bytes = "é😀".getBytes(StandardCharsets.UTF_8);
            IncrementalDetokenizer detokenizer = tokenizer.detokenizer(false);
            String[] shown = new String[bytes.length];
            for (int i = 0; i < bytes.length; i++) {
                int id = tokenizer.id(ByteAlphabet.token(new byte[] {bytes[i]})).orElseThrow();
                shown[i] = detokenizer.push(id);
            }
            assertThat(shown).containsExactly("", "é", "", "", "", "😀");
            assertThat(detokenizer.finish()).isEmpty();
        }
    }

    @Test
    void oneBadByteSpoilsARunOfByteTokens() {
        try (Tokenizer tokenizer = Tokenizers.open(GoldenLines.root().resolve("sp-yi"))) {
            IncrementalDetokenizer detokenizer = tokenizer.detokenizer(false);
            int[] ids = {byteId(tokenizer, 0xc3), byteId(tokenizer, 0xa9), byteId(tokenizer, 0xff)};
            for (int id : ids) {
                assertThat(detokenizer.push(id)).isEmpty();
            }
            assertThat(detokenizer.finish()).isEqualTo("\ufffd\ufffd\ufffd").isEqualTo(tokenizer.decode(ids, false));
            assertThat(detokenizer.push(ids[0])).isEmpty();
            assertThat(detokenizer.push(ids[1])).isEmpty();
            assertThat(detokenizer.finish()).isEqualTo("é");
        }
    }

    @Test
    void refusesNegativeIds() {
        try (Tokenizer tokenizer = Tokenizers.open(GoldenLines.root().resolve("sp-yi"))) {
            assertThatThrownBy(() -> tokenizer.detokenizer(false).push(-3))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("-3");
        }
    }

    /// Kinds of decoders that the golden files do not have, each compared with the library.
    @ParameterizedTest
    @ValueSource(
            strings = {
                "null",
                "{'type':'Metaspace','replacement':'▁','prepend_scheme':'always','split':true}",
                "{'type':'Metaspace','replacement':'▁','prepend_scheme':'never','split':true}",
                "{'type':'Sequence','decoders':[{'type':'Strip','content':'a','start':1,'stop':0},{'type':'Fuse'}]}",
                "{'type':'Sequence','decoders':[{'type':'Fuse'},{'type':'Strip','content':'▁','start':2,'stop':0},"
                        + "{'type':'Replace','pattern':{'String':'▁'},'content':'--'}]}",
                "{'type':'Sequence','decoders':[{'type':'Fuse'},"
                        + "{'type':'Replace','pattern':{'String':'ab'},'content':'c'}]}",
                "{'type':'Sequence','decoders':[{'type':'Replace','pattern':{'String':'b'},'content':'abb'},"
                        + "{'type':'Fuse'},{'type':'Strip','content':'b','start':0,'stop':2}]}",
                "{'type':'BPEDecoder','suffix':'b'}",
                "{'type':'WordPiece','prefix':'##','cleanup':true}",
            })
    void followsOtherDecoders(String decoder) {
        String json = ("{'model':{'type':'WordLevel','unk_token':'a','vocab':"
                        + "{'a':0,'b':1,'▁':2,'▁a':3,'▁▁b':4,'<0xC3>':5,'<0xA9>':6,"
                        + "'##x':7,'.':8}},'decoder':" + decoder + "}")
                .replace('\'', '"');
        SplittableRandom random = new SplittableRandom(SEED);
        try (JsonTokenizer tokenizer = JsonTokenizer.of(json, "test", TokenizerConfig.empty(Path.of("none")))) {
            for (int round = 0; round < 200; round++) {
                // The last token does not end with a blank or a lone b: the library's Strip ends
                // the JVM on a
                // text of these characters only.
                int[] ids = IntStream.concat(random.ints(random.nextInt(9), 0, 9), IntStream.of(round % 2 * 4))
                        .toArray();
                IncrementalDetokenizer detokenizer = tokenizer.detokenizer(false);
                StringBuilder joined = new StringBuilder();
                for (int id : ids) {
                    joined.append(detokenizer.push(id));
                }
                joined.append(detokenizer.finish());
                assertThat(joined).as("%s", Arrays.toString(ids)).hasToString(tokenizer.libraryDecode(ids, false));
            }
        }
    }

    private static int byteId(Tokenizer tokenizer, int value) {
        return tokenizer.id(String.format("<0x%02X>", value)).orElseThrow();
    }
}
