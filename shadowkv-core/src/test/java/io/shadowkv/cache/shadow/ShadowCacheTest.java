package io.shadowkv.cache.shadow;

import static org.assertj.core.api.Assertions.assertThat;

import io.shadowkv.cache.IndexSpec;
import io.shadowkv.cache.KvCacheSpec.Shadow;
import io.shadowkv.tensor.DType;
import org.junit.jupiter.api.Test;

/// What a spec of ShadowKV says about itself.
class ShadowCacheTest {
    private static final Shadow CODES = Shadow.DEFAULT.withIndex(new IndexSpec.TokenCodes());

    /// An entry is 34 bytes at head dim 128, and the plan of a sequence says so.
    @Test
    void theIndexHasItsBytes() {
        assertThat(new IndexSpec.TokenCodes().entryBytes(128, DType.BF16)).isEqualTo(34);
        assertThat(new IndexSpec.TokenCodes().entryBytes(80, DType.BF16)).isEqualTo(22);
        assertThat(new IndexSpec.Landmarks(8, 48).entryBytes(128, DType.BF16)).isEqualTo(256);
    }

    /// The text that saved documents and logs have. That of landmarks is older than the choice of an index.
    @Test
    void theTextOfASpecTellsItsSelection() {
        assertThat(Shadow.DEFAULT)
                .hasToString("Shadow[rank=160, chunkSize=8, sparseBudget=2048, outlierChunks=48, localTokens=32,"
                        + " generatedTokens=256, values=AS_KEYS, cachedTokens=2048]");
        assertThat(CODES.withFirstLayers(16_384))
                .hasToString("Shadow[index=codes, rank=160, sparseBudget=2048, firstLayers=[16384], localTokens=32,"
                        + " generatedTokens=256, values=AS_KEYS, cachedTokens=2048]");
    }
}
