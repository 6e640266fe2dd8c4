package io.shadowkv.cache;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shadowkv.cache.KvCacheSpec.Shadow;
import io.shadowkv.sampling.SamplingOptions;
import org.junit.jupiter.api.Test;

/// Options are changed one by one, by name.
final class ShadowSpecTest {
    @Test
    void everyParameterHasItsName() {
        Shadow spec = Shadow.DEFAULT
                .withRank(64)
                .withSparseBudget(1024)
                .withIndex(new IndexSpec.Landmarks(8, 16))
                .withResidency(new Shadow.Residency(64, 128, 1024));
        assertThat(spec).isEqualTo(new Shadow(64, 8, 1024, 16, 64, 128));
        assertThatThrownBy(() -> spec.withSparseBudget(1001)).hasMessageContaining("sparse budget");
    }

    /// Fetched tokens that stay resident are never fewer than one step selects.
    @Test
    void cachedTokensFollowTheBudget() {
        assertThat(Shadow.DEFAULT.withSparseBudget(512).residency().cachedTokens())
                .isEqualTo(512);
        assertThat(Shadow.DEFAULT.withSparseBudget(4096).residency().cachedTokens())
                .isEqualTo(4096);
        Shadow wide = Shadow.DEFAULT.withCachedTokens(8192);
        assertThat(wide.withSparseBudget(4096).residency().cachedTokens()).isEqualTo(8192);
        assertThat(wide.withSparseBudget(16_384).residency().cachedTokens()).isEqualTo(16_384);
    }

    @Test
    void samplingIsChangedByName() {
        SamplingOptions options = SamplingOptions.GREEDY
                .withTemperature(0.7)
                .withTopK(20)
                .withTopP(0.9)
                .withMinP(0.05)
                .withRepetitionPenalty(1.1)
                .withSeed(7);
        assertThat(options).isEqualTo(new SamplingOptions(0.7, 20, 0.9, 0.05, 1.1, 7));
    }
}
