package io.shadowkv.cuda;

import io.shadowkv.cache.prefill.MinferenceGoldens;
import io.shadowkv.op.Backend;
import io.shadowkv.op.conformance.AttentionConformance;
import io.shadowkv.op.conformance.BlockSelectionConformance;
import io.shadowkv.op.conformance.DenseConformance;
import io.shadowkv.op.conformance.EigenvectorConformance;
import io.shadowkv.op.conformance.ForcedHitsConformance;
import io.shadowkv.op.conformance.LinearConformance;
import io.shadowkv.op.conformance.MemoryConformance;
import io.shadowkv.op.conformance.PaddingConformance;
import io.shadowkv.op.conformance.QuantisedConformance;
import io.shadowkv.op.conformance.RestoreConformance;
import io.shadowkv.op.conformance.SamplingConformance;
import io.shadowkv.op.conformance.SelectedAttentionConformance;
import io.shadowkv.op.conformance.SelectionConformance;
import io.shadowkv.op.conformance.ShadowPrefillConformance;
import io.shadowkv.op.conformance.ShadowStepConformance;
import io.shadowkv.op.conformance.SparsePrefillConformance;
import io.shadowkv.op.conformance.TokenCodeConformance;
import io.shadowkv.op.conformance.TokenConformance;
import io.shadowkv.op.conformance.ValueStoreConformance;
import io.shadowkv.tensor.DType;
import java.util.List;
import org.junit.jupiter.api.Nested;

/// The conformance tests on the device, with F32 activations, as for a model with F32 weights.
@GpuTest
class CudaFloatTest {
    /// Views start at multiples of 16 elements, so that 16-byte accesses are aligned.
    private static final int GUARD = 16;

    @Nested
    class Memory extends MemoryConformance {
        @Override
        protected Backend open() {
            return new SharedCuda();
        }

        @Override
        protected int guardElements() {
            return GUARD;
        }

        @Override
        protected DType activationType() {
            return DType.F32;
        }
    }

    @Nested
    class Dense extends DenseConformance {
        @Override
        protected Backend open() {
            return new SharedCuda();
        }

        @Override
        protected int guardElements() {
            return GUARD;
        }

        @Override
        protected DType activationType() {
            return DType.F32;
        }
    }

    @Nested
    class Linear extends LinearConformance {
        @Override
        protected Backend open() {
            return new SharedCuda();
        }

        @Override
        protected int guardElements() {
            return GUARD;
        }

        @Override
        protected DType activationType() {
            return DType.F32;
        }
    }

    @Nested
    class Quantised extends QuantisedConformance {
        @Override
        protected Backend open() {
            return new SharedCuda();
        }

        @Override
        protected int guardElements() {
            return GUARD;
        }

        @Override
        protected DType activationType() {
            return DType.F32;
        }
    }

    @Nested
    class Attention extends AttentionConformance {
        @Override
        protected Backend open() {
            return new SharedCuda();
        }

        @Override
        protected int guardElements() {
            return GUARD;
        }

        @Override
        protected DType activationType() {
            return DType.F32;
        }
    }

    @Nested
    class ShadowPrefill extends ShadowPrefillConformance {
        @Override
        protected Backend open() {
            return new SharedCuda();
        }

        @Override
        protected int guardElements() {
            return GUARD;
        }

        @Override
        protected DType activationType() {
            return DType.F32;
        }
    }

    @Nested
    class Eigenvector extends EigenvectorConformance {
        @Override
        protected Backend open() {
            return new SharedCuda();
        }

        @Override
        protected int guardElements() {
            return GUARD;
        }

        @Override
        protected DType activationType() {
            return DType.F32;
        }

        @Override
        protected List<String> goldenCases() {
            return List.of("n1200-d256", "n2048-d1024", "n300-d512-wide", "n6000-d1024");
        }
    }

    @Nested
    class Selection extends SelectionConformance {
        @Override
        protected Backend open() {
            return new SharedCuda();
        }

        @Override
        protected int guardElements() {
            return GUARD;
        }

        @Override
        protected DType activationType() {
            return DType.F32;
        }
    }

    @Nested
    class ShadowStep extends ShadowStepConformance {
        @Override
        protected Backend open() {
            return new SharedCuda();
        }

        @Override
        protected int guardElements() {
            return GUARD;
        }

        @Override
        protected DType activationType() {
            return DType.F32;
        }
    }

    @Nested
    class SelectedAttention extends SelectedAttentionConformance {
        @Override
        protected Backend open() {
            return new SharedCuda();
        }

        @Override
        protected int guardElements() {
            return GUARD;
        }

        @Override
        protected DType activationType() {
            return DType.F32;
        }
    }

    @Nested
    class BlockSelection extends BlockSelectionConformance {
        @Override
        protected Backend open() {
            return new SharedCuda();
        }

        @Override
        protected int guardElements() {
            return GUARD;
        }

        @Override
        protected DType activationType() {
            return DType.F32;
        }
    }

    @Nested
    class Minference extends MinferenceGoldens {
        @Override
        protected Backend open() {
            return new SharedCuda();
        }
    }

    @Nested
    class SparsePrefill extends SparsePrefillConformance {
        @Override
        protected Backend open() {
            return new SharedCuda();
        }

        @Override
        protected int guardElements() {
            return GUARD;
        }

        @Override
        protected DType activationType() {
            return DType.F32;
        }
    }

    @Nested
    class ForcedHits extends ForcedHitsConformance {
        @Override
        protected Backend open() {
            return new SharedCuda();
        }

        @Override
        protected int guardElements() {
            return GUARD;
        }

        @Override
        protected DType activationType() {
            return DType.F32;
        }
    }

    @Nested
    class ValueStore extends ValueStoreConformance {
        @Override
        protected Backend open() {
            return new SharedCuda();
        }

        @Override
        protected int guardElements() {
            return GUARD;
        }

        @Override
        protected DType activationType() {
            return DType.F32;
        }
    }

    @Nested
    class Restore extends RestoreConformance {
        @Override
        protected Backend open() {
            return new SharedCuda();
        }

        @Override
        protected int guardElements() {
            return GUARD;
        }

        @Override
        protected DType activationType() {
            return DType.F32;
        }
    }

    @Nested
    class Padding extends PaddingConformance {
        @Override
        protected Backend open() {
            return new SharedCuda();
        }

        @Override
        protected int guardElements() {
            return GUARD;
        }

        @Override
        protected DType activationType() {
            return DType.F32;
        }
    }

    @Nested
    class Codes extends TokenCodeConformance {
        @Override
        protected Backend open() {
            return new SharedCuda();
        }

        @Override
        protected int guardElements() {
            return GUARD;
        }

        @Override
        protected DType activationType() {
            return DType.F32;
        }
    }

    @Nested
    class Token extends TokenConformance {
        @Override
        protected Backend open() {
            return new SharedCuda();
        }

        @Override
        protected int guardElements() {
            return GUARD;
        }

        @Override
        protected DType activationType() {
            return DType.F32;
        }
    }

    @Nested
    class Sampling extends SamplingConformance {
        @Override
        protected Backend open() {
            return new SharedCuda();
        }

        @Override
        protected int guardElements() {
            return GUARD;
        }

        @Override
        protected DType activationType() {
            return DType.F32;
        }
    }
}
