package io.shadowkv.eval;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.shadowkv.cache.IndexSpec;
import io.shadowkv.cache.KvCacheSpec;
import io.shadowkv.cache.KvCacheSpec.Shadow;
import io.shadowkv.cache.ValueFormat;
import io.shadowkv.cache.prefill.HeadPatterns;
import io.shadowkv.cache.prefill.PrefillSpec;
import java.util.List;
import org.junit.jupiter.api.Test;

/// A method in logs: its parameters come back, and each has a name of its own.
class MethodTest {
    private static final Shadow CODES =
            Shadow.DEFAULT.withIndex(new IndexSpec.TokenCodes()).withSparseBudget(512);

    @Test
    void everyMethodComesBackFromALog() {
        for (KvCacheSpec spec : List.of(
                new KvCacheSpec.Full(),
                Shadow.DEFAULT,
                new Shadow(64, 4, 128, 3, 8, 16).withValues(ValueFormat.I8).withCachedTokens(256),
                CODES,
                CODES.withFirstLayers(4096, 1024),
                Shadow.DEFAULT.withFirstLayers(16_384))) {
            String line = Json.SNAKE_CASE.writeValueAsString(Method.of(spec));
            Method read = Json.SNAKE_CASE.readValue(line, Method.class);
            assertThat(read).isEqualTo(Method.of(spec));
            assertThat(read.spec()).isEqualTo(spec);
        }
    }

    @Test
    void everyWayToReadComesBackFromALog() {
        Method shadow = Method.of(Shadow.DEFAULT);
        for (PrefillSpec spec : List.of(
                new PrefillSpec.Exact(),
                PrefillSpec.Blocks.DEFAULT,
                PrefillSpec.Blocks.DEFAULT
                        .withThreshold(0.3)
                        .withCountsDropped(true)
                        .withMinTokens(100),
                new PrefillSpec.MInference(HeadPatterns.usual(), false, 200))) {
            Method method = shadow.reading(spec);
            Method read = Json.SNAKE_CASE.readValue(Json.SNAKE_CASE.writeValueAsString(method), Method.class);
            assertThat(read).isEqualTo(method);
            assertThat(read.prefillSpec()).isEqualTo(spec);
            assertThat(read.spec()).isEqualTo(Shadow.DEFAULT);
        }
        assertThat(shadow.reading(new PrefillSpec.Exact())).isEqualTo(shadow);
    }

    @Test
    void theLabelTellsTheWayToRead() {
        assertThat(Method.FULL
                        .reading(PrefillSpec.Blocks.DEFAULT.withThreshold(0.3))
                        .label())
                .isEqualTo("full prefill blocks threshold 0.3");
        assertThat(Method.of(Shadow.DEFAULT)
                        .reading(new PrefillSpec.MInference(HeadPatterns.usual(), false, 200))
                        .label())
                .isEqualTo("shadowkv budget 2048 prefill minference original from 200");
    }

    /// A report of answers from another machine does not have the file.
    @Test
    void theLabelDoesNotReadThePatternFile() {
        Method method = new Method("full", null, new ReadMethod("minference", null, false, "/x/p.json", false, 4096));
        assertThat(method.label()).isEqualTo("full prefill minference of pattern file /x/p.json");
        assertThat(method.prefillLabel()).isEqualTo("minference of pattern file /x/p.json");
        assertThat(Method.FULL.prefillLabel()).isEqualTo("exact");
    }

    @Test
    void measuringIsNoMethodOfItsOwn() {
        PrefillSpec blocks = PrefillSpec.Blocks.DEFAULT;
        assertThat(Method.FULL.reading(blocks.measuring(16))).isEqualTo(Method.FULL.reading(blocks));
        assertThat(Method.FULL.reading(new PrefillSpec.Exact().measuring(16))).isEqualTo(Method.FULL);
    }

    /// Logs of versions without a choice of the index.
    @Test
    void anOldLogHasLandmarksAndOneBudget() {
        String line =
                "{\"name\":\"shadowkv\",\"shadow\":{\"rank\":160,\"chunk_size\":8,\"budget\":2048,\"outliers\":48,"
                        + "\"local_tokens\":32,\"generated_tokens\":256,\"values\":\"as_keys\",\"cached_tokens\":2048}}";
        Method read = Json.SNAKE_CASE.readValue(line, Method.class);
        assertThat(read.spec()).isEqualTo(Shadow.DEFAULT);
        assertThat(read).isEqualTo(Method.of(Shadow.DEFAULT));
    }

    @Test
    void theLabelTellsTheSelection() {
        assertThat(Method.of(Shadow.DEFAULT).label()).isEqualTo("shadowkv budget 2048");
        assertThat(Method.of(CODES).label()).isEqualTo("shadowkv budget 512 index codes");
        assertThat(Method.of(CODES.withFirstLayers(4096, 700)).label())
                .isEqualTo("shadowkv budget 512 index codes first layers 8x,700");
    }

    @Test
    void anUnknownIndexIsRefused() {
        Method method =
                new Method("shadowkv", new Method.Shadow(160, 8, 512, 48, 32, 256, "as_keys", 512, "trees", List.of()));
        assertThatIllegalArgumentException()
                .isThrownBy(method::spec)
                .withMessage("'trees' is not an index; expected landmarks or codes");
    }
}
