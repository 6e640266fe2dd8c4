package io.shadowkv.engine;

import io.shadowkv.op.Backend;
import io.shadowkv.op.reference.ReferenceBackend;
import org.junit.jupiter.api.Nested;

/// The laws on plain loops, which compute every row by itself: what is the same there is the same to the bit.
class ReferenceLawsTest {
    @Nested
    class Cache extends CacheLaws {
        @Override
        protected Backend open() {
            return new ReferenceBackend();
        }

        @Override
        protected double rounding() {
            return 0;
        }
    }

    @Nested
    class Shadow extends ShadowLaws {
        @Override
        protected Backend open() {
            return new ReferenceBackend();
        }

        @Override
        protected double rounding() {
            return 0;
        }
    }

    @Nested
    class Completions extends CompletionLaws {
        @Override
        protected Backend open() {
            return new ReferenceBackend();
        }

        @Override
        protected double rounding() {
            return 0;
        }
    }

    @Nested
    class Comparisons extends ComparisonLaws {
        @Override
        protected Backend open() {
            return new ReferenceBackend();
        }

        @Override
        protected double rounding() {
            return 0;
        }
    }

    @Nested
    class ComparisonEdges extends ComparisonEdgeLaws {
        @Override
        protected Backend open() {
            return new ReferenceBackend();
        }

        @Override
        protected double rounding() {
            return 0;
        }
    }

    @Nested
    class Interruptions extends InterruptionLaws {
        @Override
        protected Backend open() {
            return new ReferenceBackend();
        }

        @Override
        protected double rounding() {
            return 0;
        }
    }

    @Nested
    class Memory extends MemoryLaws {
        @Override
        protected Backend open() {
            return new ReferenceBackend();
        }

        @Override
        protected double rounding() {
            return 0;
        }
    }

    @Nested
    class Conversations extends ConversationLaws {
        @Override
        protected Backend open() {
            return new ReferenceBackend();
        }

        @Override
        protected double rounding() {
            return 0;
        }
    }
}
