package io.shadowkv.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.shadowkv.cache.KvCacheSpec;
import io.shadowkv.cache.KvCacheSpec.Shadow;
import io.shadowkv.cache.prefill.PrefillSpec.Blocks;
import io.shadowkv.sampling.SamplingOptions;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.WeightPrecision;
import java.time.Duration;
import java.util.List;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;

/// Every option out of its range is refused with what was given and what would do.
class OptionMessagesTest {
    private static void refused(ThrowingCallable call, String message) {
        assertThatIllegalArgumentException().isThrownBy(call).withMessage(message);
    }

    @Test
    void ofTheCache() {
        refused(() -> new Shadow(0, 8, 64, 1, 8, 8), "rank is 0; expected at least 1");
        refused(() -> new Shadow(1, 0, 64, 1, 8, 8), "chunk size is 0; expected at least 1");
        refused(() -> new Shadow(1, 8, 64, -1, 8, 8), "outlier chunks is -1; expected at least 0");
        refused(() -> new Shadow(1, 8, 0, 1, 8, 8), "sparse budget is 0; expected at least 8");
        refused(
                () -> new Shadow(1, 8, 65, 1, 8, 8),
                "sparse budget is 65 tokens; expected a multiple of the chunk size, 8");
        refused(() -> new Shadow(1, 8, 64, 1, 4, 8), "local tokens is 4; expected at least 8");
        refused(
                () -> new Shadow(1, 8, 64, 1, 12, 8),
                "local tokens is 12 tokens; expected a multiple of the chunk size, 8");
        refused(() -> new Shadow(1, 8, 64, 1, 8, 7), "generated tokens is 7; expected at least 8");
        refused(
                () -> new Shadow(1, 8, 64, 1, 8, 9),
                "generated tokens is 9 tokens; expected a multiple of the chunk size, 8");
        Shadow plain = new Shadow(1, 8, 64, 1, 8, 8);
        refused(() -> plain.withCachedTokens(56), "cached tokens is 56; expected at least 64");
        refused(
                () -> plain.withCachedTokens(65),
                "cached tokens is 65 tokens; expected a multiple of the chunk size, 8");
    }

    /// The paper's defaults, and what follows from them.
    @Test
    void theDefaultsAreThePapers() {
        assertThat(Shadow.DEFAULT).isEqualTo(new Shadow(160, 8, 2048, 48, 32, 256));
        assertThat(Shadow.DEFAULT.selectedUnits()).isEqualTo(256);
        assertThat(Shadow.DEFAULT.recentTokens()).isEqualTo(32 + 256 + 8);
        assertThat(Shadow.DEFAULT.residentTokens(1)).isEqualTo(48 * 8 + 2048 + 32 + 256 + 8);
        assertThat(Shadow.DEFAULT.name()).isEqualTo("shadowkv");
        assertThat(new KvCacheSpec.Full().name()).isEqualTo("full");
    }

    @Test
    void ofSampling() {
        refused(() -> sampling(-0.1, 0, 1, 0, 1), "temperature is -0.1; expected 0 (greedy) to 100");
        refused(() -> sampling(101, 0, 1, 0, 1), "temperature is 101.0; expected 0 (greedy) to 100");
        refused(() -> sampling(Double.NaN, 0, 1, 0, 1), "temperature is NaN; expected 0 (greedy) to 100");
        refused(() -> sampling(1, -1, 1, 0, 1), "top-k is -1; expected 0 (off) or more");
        refused(() -> sampling(1, 0, 0, 0, 1), "top-p is 0.0; expected above 0, up to 1 (off)");
        refused(() -> sampling(1, 0, 1.01, 0, 1), "top-p is 1.01; expected above 0, up to 1 (off)");
        refused(() -> sampling(1, 0, Double.NaN, 0, 1), "top-p is NaN; expected above 0, up to 1 (off)");
        refused(() -> sampling(1, 0, 1, -1, 1), "min-p is -1.0; expected 0 (off) to 1");
        refused(() -> sampling(1, 0, 1, 1.5, 1), "min-p is 1.5; expected 0 (off) to 1");
        refused(() -> sampling(1, 0, 1, 0, 0), "repetition penalty is 0.0; expected above 0, up to 100; 1 is off");
        refused(
                () -> sampling(1, 0, 1, 0, 1000),
                "repetition penalty is 1000.0; expected above 0, up to 100; 1 is off");
        assertThat(SamplingOptions.GREEDY.isGreedy()).isTrue();
        assertThat(sampling(0.1, 0, 1, 0, 1).isGreedy()).isFalse();
    }

    private static SamplingOptions sampling(double temperature, int topK, double topP, double minP, double penalty) {
        return new SamplingOptions(temperature, topK, topP, minP, penalty, 0);
    }

    @Test
    void ofGeneration() {
        GenerationOptions options = GenerationOptions.DEFAULT;
        refused(() -> options.withMaxNewTokens(0), "max new tokens is 0; expected 1 or more");
        refused(
                () -> options.withStopStrings(List.of("a", "")),
                "a stop string is empty; it would stop before the first character");
        refused(() -> options.withStopIds(List.of(3, -1)), "stop ids are [3, -1]; expected ids of tokens, 0 or more");
        refused(() -> options.withMinNewTokens(-1), "min new tokens is -1; expected 0 (no minimum) or more");
    }

    @Test
    void ofTheEngine() {
        EngineOptions options = EngineOptions.DEFAULT;
        refused(() -> options.withKvType(DType.I8), "keys and values cannot be I8; expected F32, BF16 or F16");
        refused(() -> options.withKvType(DType.F64), "keys and values cannot be F64; expected F32, BF16 or F16");
        refused(
                () -> options.withPrefillRows(-1),
                "number of prefill rows is -1; expected 1 or more, or 0 for the backend's default");
        refused(() -> options.withMaxBatch(0), "batch is 0 sequences; expected 1 or more");
        refused(
                () -> options.withMemoryLimits(-1, 0),
                "memory limits are -1 and 0 bytes; expected 0 (ask the backend) or more");
        refused(
                () -> options.withMemoryLimits(5, -7),
                "memory limits are 5 and -7 bytes; expected 0 (ask the backend) or more");
    }

    /// Each copy of an engine's options differs in its own component only.
    @Test
    void aCopyOfOptionsKeepsTheOthers() {
        EngineOptions copied = EngineOptions.DEFAULT
                .withWeights(WeightPrecision.INT8)
                .withKeptPrompts(2)
                .withGrowth(new EngineOptions.Growth(9, 10))
                .withReadingGap(Duration.ofMillis(3))
                .withMaxWaiting(4)
                .withValuePlace(ValuePlace.HOST)
                .withMemoryLimits(5, 6)
                .withMaxBatch(7)
                .withPrefillRows(8)
                .withKvType(DType.F16)
                .withPrefill(Blocks.DEFAULT)
                .withCache(Shadow.DEFAULT);
        assertThat(copied)
                .isEqualTo(new EngineOptions(
                        Shadow.DEFAULT,
                        Blocks.DEFAULT,
                        DType.F16,
                        8,
                        7,
                        5,
                        6,
                        ValuePlace.HOST,
                        4,
                        Duration.ofMillis(3),
                        2,
                        WeightPrecision.INT8,
                        new EngineOptions.Growth(9, 10)));
    }
}
