package io.shadowkv.cuda;

import io.shadowkv.engine.CacheLaws;
import io.shadowkv.engine.ComparisonEdgeLaws;
import io.shadowkv.engine.ComparisonLaws;
import io.shadowkv.engine.CompletionLaws;
import io.shadowkv.engine.ConversationLaws;
import io.shadowkv.engine.InterruptionLaws;
import io.shadowkv.engine.MemoryLaws;
import io.shadowkv.engine.ShadowLaws;
import io.shadowkv.op.Backend;
import org.junit.jupiter.api.Nested;

/// The laws on the device, which sums in another order for another number of rows.
@GpuTest
class CudaLawsTest {
    @Nested
    class Cache extends CacheLaws {
        @Override
        protected Backend open() {
            return new SharedCuda();
        }
    }

    @Nested
    class Shadow extends ShadowLaws {
        @Override
        protected Backend open() {
            return new SharedCuda();
        }
    }

    @Nested
    class Completions extends CompletionLaws {
        @Override
        protected Backend open() {
            return new SharedCuda();
        }
    }

    @Nested
    class Comparisons extends ComparisonLaws {
        @Override
        protected Backend open() {
            return new SharedCuda();
        }
    }

    @Nested
    class ComparisonEdges extends ComparisonEdgeLaws {
        @Override
        protected Backend open() {
            return new SharedCuda();
        }
    }

    @Nested
    class Interruptions extends InterruptionLaws {
        @Override
        protected Backend open() {
            return new SharedCuda();
        }
    }

    @Nested
    class Memory extends MemoryLaws {
        @Override
        protected Backend open() {
            return new SharedCuda();
        }

        /// cuBLASLt chooses its algorithm by the number of rows.
        @Override
        protected boolean isBatchInvariant() {
            return false;
        }
    }

    @Nested
    class Conversations extends ConversationLaws {
        @Override
        protected Backend open() {
            return new SharedCuda();
        }
    }
}
