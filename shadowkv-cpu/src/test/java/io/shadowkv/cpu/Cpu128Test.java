package io.shadowkv.cpu;

import io.shadowkv.op.AttentionConformance;
import io.shadowkv.op.Backend;
import io.shadowkv.op.BackendProvider.BackendOptions;
import io.shadowkv.op.DenseConformance;
import io.shadowkv.op.EigenvectorConformance;
import io.shadowkv.op.ForcedHitsConformance;
import io.shadowkv.op.LinearConformance;
import io.shadowkv.op.MemoryConformance;
import io.shadowkv.op.PaddingConformance;
import io.shadowkv.op.SelectedAttentionConformance;
import io.shadowkv.op.SelectionConformance;
import io.shadowkv.op.ShadowPrefillConformance;
import io.shadowkv.op.ShadowStepConformance;
import io.shadowkv.op.TokenConformance;
import io.shadowkv.op.ValueStoreConformance;
import org.junit.jupiter.api.Nested;

/// Every room's tests at vectors of 128 bits, as on the smallest machines, and an odd number of threads.
class Cpu128Test {
    private static Backend openCpu() {
        return new CpuBackendProvider().open(new BackendOptions(3, 128));
    }

    @Nested
    class Memory extends MemoryConformance {
        @Override
        protected Backend open() {
            return openCpu();
        }
    }

    @Nested
    class Dense extends DenseConformance {
        @Override
        protected Backend open() {
            return openCpu();
        }
    }

    @Nested
    class Linear extends LinearConformance {
        @Override
        protected Backend open() {
            return openCpu();
        }
    }

    @Nested
    class Attention extends AttentionConformance {
        @Override
        protected Backend open() {
            return openCpu();
        }
    }

    @Nested
    class ShadowPrefill extends ShadowPrefillConformance {
        @Override
        protected Backend open() {
            return openCpu();
        }
    }

    @Nested
    class Eigenvector extends EigenvectorConformance {
        @Override
        protected Backend open() {
            return openCpu();
        }
    }

    @Nested
    class Selection extends SelectionConformance {
        @Override
        protected Backend open() {
            return openCpu();
        }
    }

    @Nested
    class ShadowStep extends ShadowStepConformance {
        @Override
        protected Backend open() {
            return openCpu();
        }
    }

    @Nested
    class SelectedAttention extends SelectedAttentionConformance {
        @Override
        protected Backend open() {
            return openCpu();
        }
    }

    @Nested
    class ForcedHits extends ForcedHitsConformance {
        @Override
        protected Backend open() {
            return openCpu();
        }
    }

    @Nested
    class ValueStore extends ValueStoreConformance {
        @Override
        protected Backend open() {
            return openCpu();
        }
    }

    @Nested
    class Padding extends PaddingConformance {
        @Override
        protected Backend open() {
            return openCpu();
        }
    }

    @Nested
    class Token extends TokenConformance {
        @Override
        protected Backend open() {
            return openCpu();
        }
    }
}
