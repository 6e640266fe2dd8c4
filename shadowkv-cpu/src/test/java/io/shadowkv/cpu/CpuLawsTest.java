package io.shadowkv.cpu;

import io.shadowkv.engine.CacheLaws;
import io.shadowkv.engine.ComparisonEdgeLaws;
import io.shadowkv.engine.ComparisonLaws;
import io.shadowkv.engine.CompletionLaws;
import io.shadowkv.engine.ConversationLaws;
import io.shadowkv.engine.InterruptionLaws;
import io.shadowkv.engine.MemoryLaws;
import io.shadowkv.engine.ShadowLaws;
import io.shadowkv.op.Backend;
import io.shadowkv.op.BackendProvider.BackendOptions;
import org.junit.jupiter.api.Nested;

/// The laws on the CPU's kernels, which may sum in another order for another number of rows.
class CpuLawsTest {
    private static Backend cpu() {
        return new CpuBackendProvider().open(BackendOptions.DEFAULT);
    }

    @Nested
    class Cache extends CacheLaws {
        @Override
        protected Backend open() {
            return cpu();
        }
    }

    @Nested
    class Shadow extends ShadowLaws {
        @Override
        protected Backend open() {
            return cpu();
        }
    }

    @Nested
    class Completions extends CompletionLaws {
        @Override
        protected Backend open() {
            return cpu();
        }
    }

    @Nested
    class Comparisons extends ComparisonLaws {
        @Override
        protected Backend open() {
            return cpu();
        }
    }

    @Nested
    class ComparisonEdges extends ComparisonEdgeLaws {
        @Override
        protected Backend open() {
            return cpu();
        }
    }

    @Nested
    class Interruptions extends InterruptionLaws {
        @Override
        protected Backend open() {
            return cpu();
        }
    }

    @Nested
    class Memory extends MemoryLaws {
        @Override
        protected Backend open() {
            return cpu();
        }
    }

    @Nested
    class Conversations extends ConversationLaws {
        @Override
        protected Backend open() {
            return cpu();
        }
    }
}
