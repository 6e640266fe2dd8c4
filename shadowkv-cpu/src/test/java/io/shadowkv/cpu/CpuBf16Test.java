package io.shadowkv.cpu;

import io.shadowkv.op.Backend;
import io.shadowkv.op.BackendProvider.BackendOptions;
import io.shadowkv.op.conformance.AttentionConformance;
import io.shadowkv.op.conformance.DenseConformance;
import io.shadowkv.op.conformance.LinearConformance;
import io.shadowkv.op.conformance.MemoryConformance;
import io.shadowkv.op.conformance.PaddingConformance;
import io.shadowkv.op.conformance.SamplingConformance;
import io.shadowkv.op.conformance.SelectedAttentionConformance;
import io.shadowkv.op.conformance.ShadowPrefillConformance;
import io.shadowkv.op.conformance.ShadowStepConformance;
import io.shadowkv.op.conformance.SparsePrefillConformance;
import io.shadowkv.op.conformance.TokenCodeConformance;
import io.shadowkv.op.conformance.TokenConformance;
import io.shadowkv.tensor.DType;
import org.junit.jupiter.api.Nested;

/// Rooms whose operations take activations, with activations of 16 bits, as a device has them: the engine never
/// asks the CPU for these, but the suites must hold for them.
class CpuBf16Test {
    private static Backend openCpu() {
        return new CpuBackendProvider().open(new BackendOptions(2, 0));
    }

    @Nested
    class Memory extends MemoryConformance {
        @Override
        protected Backend open() {
            return openCpu();
        }

        @Override
        protected DType activationType() {
            return DType.BF16;
        }
    }

    @Nested
    class Dense extends DenseConformance {
        @Override
        protected Backend open() {
            return openCpu();
        }

        @Override
        protected DType activationType() {
            return DType.BF16;
        }
    }

    @Nested
    class Linear extends LinearConformance {
        @Override
        protected Backend open() {
            return openCpu();
        }

        @Override
        protected DType activationType() {
            return DType.BF16;
        }
    }

    @Nested
    class Attention extends AttentionConformance {
        @Override
        protected Backend open() {
            return openCpu();
        }

        @Override
        protected DType activationType() {
            return DType.BF16;
        }
    }

    @Nested
    class SelectedAttention extends SelectedAttentionConformance {
        @Override
        protected Backend open() {
            return openCpu();
        }

        @Override
        protected DType activationType() {
            return DType.BF16;
        }
    }

    @Nested
    class SparsePrefill extends SparsePrefillConformance {
        @Override
        protected Backend open() {
            return openCpu();
        }

        @Override
        protected DType activationType() {
            return DType.BF16;
        }
    }

    @Nested
    class ShadowPrefill extends ShadowPrefillConformance {
        @Override
        protected Backend open() {
            return openCpu();
        }

        @Override
        protected DType activationType() {
            return DType.BF16;
        }
    }

    @Nested
    class ShadowStep extends ShadowStepConformance {
        @Override
        protected Backend open() {
            return openCpu();
        }

        @Override
        protected DType activationType() {
            return DType.BF16;
        }
    }

    @Nested
    class Codes extends TokenCodeConformance {
        @Override
        protected Backend open() {
            return openCpu();
        }

        @Override
        protected DType activationType() {
            return DType.BF16;
        }
    }

    @Nested
    class Token extends TokenConformance {
        @Override
        protected Backend open() {
            return openCpu();
        }

        @Override
        protected DType activationType() {
            return DType.BF16;
        }
    }

    @Nested
    class Sampling extends SamplingConformance {
        @Override
        protected Backend open() {
            return openCpu();
        }

        @Override
        protected DType activationType() {
            return DType.BF16;
        }
    }

    @Nested
    class Padding extends PaddingConformance {
        @Override
        protected Backend open() {
            return openCpu();
        }

        @Override
        protected DType activationType() {
            return DType.BF16;
        }
    }
}
