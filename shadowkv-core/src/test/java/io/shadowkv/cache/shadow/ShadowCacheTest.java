package io.shadowkv.cache.shadow;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.shadowkv.cache.CacheShape;
import io.shadowkv.cache.IndexSpec;
import io.shadowkv.cache.KvCacheSpec.Shadow;
import io.shadowkv.cache.prefill.PrefillAttention;
import io.shadowkv.op.Backend;
import io.shadowkv.op.ForwardingBackend;
import io.shadowkv.op.Operations;
import io.shadowkv.op.ShadowOperations;
import io.shadowkv.op.reference.ReferenceBackend;
import io.shadowkv.tensor.DType;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Proxy;
import org.junit.jupiter.api.Test;

/// What a strategy refuses before it opens anything.
class ShadowCacheTest {
    private static final CacheShape SHAPE = new CacheShape(2, 4, 2, 16, DType.BF16);

    private static final Shadow CODES = Shadow.DEFAULT.withIndex(new IndexSpec.TokenCodes());

    @Test
    void tokenCodesAreRefusedWhereABackendHasNone() {
        try (Backend reference = new ReferenceBackend()) {
            Operations operations = reference.operations();
            ShadowOperations without = proxy(ShadowOperations.class, (self, method, arguments) -> {
                assertThat(method.getName()).isEqualTo("hasTokenCodes");
                return false;
            });
            Operations limited = proxy(
                    Operations.class,
                    (self, method, arguments) ->
                            method.getName().equals("shadow") ? without : method.invoke(operations, arguments));
            Backend backend = new ForwardingBackend(reference) {
                @Override
                public Operations operations() {
                    return limited;
                }
            };
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> new ShadowCache(CODES, SHAPE, PrefillAttention.exact(backend), backend))
                    .withMessage("the reference backend cannot select with the index codes yet; it has the index"
                            + " landmarks (--index landmarks). The cpu backend has both");
            assertThat(new ShadowCache(CODES, SHAPE, PrefillAttention.exact(reference), reference))
                    .isNotNull();
        }
    }

    private static <T> T proxy(Class<T> type, InvocationHandler handler) {
        return type.cast(Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type}, handler));
    }

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
