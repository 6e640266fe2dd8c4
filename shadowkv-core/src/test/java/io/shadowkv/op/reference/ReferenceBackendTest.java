package io.shadowkv.op.reference;

import static org.assertj.core.api.Assertions.assertThat;

import io.shadowkv.cache.prefill.MinferenceGoldens;
import io.shadowkv.op.Backend;
import io.shadowkv.op.BackendProvider;
import io.shadowkv.op.BackendProvider.BackendOptions;
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
import java.util.ServiceLoader;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/// The judge before the court: its results, rounded to the output type, against plain float loops and against
/// laws.
class ReferenceBackendTest {
    @Test
    void isOfferedLastAndSaysThatItIsForChecking() {
        var provider = ServiceLoader.load(BackendProvider.class).stream()
                .map(ServiceLoader.Provider::get)
                .filter(candidate -> candidate.name().equals("reference"))
                .findFirst()
                .orElseThrow();

        assertThat(provider.availability(BackendOptions.DEFAULT).usable()).isTrue();
        assertThat(provider.availability(BackendOptions.DEFAULT).priority()).isNegative();
        assertThat(provider.availability(BackendOptions.DEFAULT).reason()).contains("for checking only");
        try (Backend backend = provider.open(BackendProvider.BackendOptions.DEFAULT)) {
            assertThat(backend.name()).isEqualTo("reference");
        }
    }

    @Nested
    class Memory extends MemoryConformance {
        @Override
        protected Backend open() {
            return new ReferenceBackend();
        }
    }

    @Nested
    class Dense extends DenseConformance {
        @Override
        protected Backend open() {
            return new ReferenceBackend();
        }
    }

    @Nested
    class Linear extends LinearConformance {
        @Override
        protected Backend open() {
            return new ReferenceBackend();
        }
    }

    @Nested
    class Quantised extends QuantisedConformance {
        @Override
        protected Backend open() {
            return new ReferenceBackend();
        }
    }

    @Nested
    class Attention extends AttentionConformance {
        @Override
        protected Backend open() {
            return new ReferenceBackend();
        }
    }

    @Nested
    class ShadowPrefill extends ShadowPrefillConformance {
        @Override
        protected Backend open() {
            return new ReferenceBackend();
        }
    }

    @Nested
    class Eigenvector extends EigenvectorConformance {
        @Override
        protected Backend open() {
            return new ReferenceBackend();
        }
    }

    @Nested
    class Selection extends SelectionConformance {
        @Override
        protected Backend open() {
            return new ReferenceBackend();
        }
    }

    @Nested
    class ShadowStep extends ShadowStepConformance {
        @Override
        protected Backend open() {
            return new ReferenceBackend();
        }
    }

    @Nested
    class Codes extends TokenCodeConformance {
        @Override
        protected Backend open() {
            return new ReferenceBackend();
        }
    }

    @Nested
    class SelectedAttention extends SelectedAttentionConformance {
        @Override
        protected Backend open() {
            return new ReferenceBackend();
        }
    }

    @Nested
    class BlockSelection extends BlockSelectionConformance {
        @Override
        protected Backend open() {
            return new ReferenceBackend();
        }
    }

    @Nested
    class SparsePrefill extends SparsePrefillConformance {
        @Override
        protected Backend open() {
            return new ReferenceBackend();
        }
    }

    @Nested
    class Minference extends MinferenceGoldens {
        @Override
        protected Backend open() {
            return new ReferenceBackend();
        }
    }

    @Nested
    class ForcedHits extends ForcedHitsConformance {
        @Override
        protected Backend open() {
            return new ReferenceBackend();
        }
    }

    @Nested
    class ValueStore extends ValueStoreConformance {
        @Override
        protected Backend open() {
            return new ReferenceBackend();
        }
    }

    @Nested
    class Restore extends RestoreConformance {
        @Override
        protected Backend open() {
            return new ReferenceBackend();
        }
    }

    @Nested
    class Padding extends PaddingConformance {
        @Override
        protected Backend open() {
            return new ReferenceBackend();
        }
    }

    @Nested
    class Token extends TokenConformance {
        @Override
        protected Backend open() {
            return new ReferenceBackend();
        }
    }

    @Nested
    class Sampling extends SamplingConformance {
        @Override
        protected Backend open() {
            return new ReferenceBackend();
        }
    }
}
