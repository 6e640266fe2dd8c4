package io.shadowkv.engine.laws;

import io.shadowkv.op.reference.ReferenceBackend;
import org.junit.jupiter.api.Nested;

/// The laws on plain loops, which compute every row by itself: what is the same there is the same to the bit.
class ReferenceLawsTest {
    private static final BackendUnderTest REFERENCE = BackendUnderTest.exact(ReferenceBackend::new);

    @Nested
    class Cache extends CacheLaws {
        Cache() {
            super(REFERENCE);
        }
    }

    @Nested
    class Shadow extends ShadowLaws {
        Shadow() {
            super(REFERENCE);
        }
    }

    @Nested
    class Completions extends CompletionLaws {
        Completions() {
            super(REFERENCE);
        }
    }

    @Nested
    class Comparisons extends ComparisonLaws {
        Comparisons() {
            super(REFERENCE);
        }
    }

    @Nested
    class ComparisonEdges extends ComparisonEdgeLaws {
        ComparisonEdges() {
            super(REFERENCE);
        }
    }

    @Nested
    class Interruptions extends InterruptionLaws {
        Interruptions() {
            super(REFERENCE);
        }
    }

    @Nested
    class Memory extends MemoryLaws {
        Memory() {
            super(REFERENCE);
        }
    }

    @Nested
    class Conversations extends ConversationLaws {
        Conversations() {
            super(REFERENCE);
        }
    }

    @Nested
    class Scheduling extends SchedulerLaws {
        Scheduling() {
            super(REFERENCE);
        }
    }

    @Nested
    class Serving extends ServingLaws {
        Serving() {
            super(REFERENCE);
        }
    }

    @Nested
    class Listeners extends ListenerLaws {
        Listeners() {
            super(REFERENCE);
        }
    }

    @Nested
    class Growing extends GrowthLaws {
        Growing() {
            super(REFERENCE);
        }
    }

    @Nested
    class Forks extends ForkLaws {
        Forks() {
            super(REFERENCE);
        }
    }

    @Nested
    class QuantisedWeights extends QuantisedWeightLaws {
        QuantisedWeights() {
            super(REFERENCE);
        }
    }

    @Nested
    class Families extends FamilyLaws {
        Families() {
            super(REFERENCE);
        }
    }

    @Nested
    class SharedTurns extends SharedTurnLaws {
        SharedTurns() {
            super(REFERENCE);
        }
    }

    @Nested
    class TurnScheduling extends TurnSchedulingLaws {
        TurnScheduling() {
            super(REFERENCE);
        }
    }

    @Nested
    class Turns extends TurnLaws {
        Turns() {
            super(REFERENCE);
        }
    }

    @Nested
    class Calibrations extends CalibrationLaws {
        Calibrations() {
            super(REFERENCE);
        }
    }

    @Nested
    class TurnWaiting extends TurnWaitingLaws {
        TurnWaiting() {
            super(REFERENCE);
        }
    }

    @Nested
    class LayerBudgets extends LayerBudgetLaws {
        LayerBudgets() {
            super(REFERENCE);
        }
    }

    @Nested
    class Codes extends TokenCodeLaws {
        Codes() {
            super(REFERENCE);
        }
    }

    @Nested
    class Documents extends DocumentLaws {
        Documents() {
            super(REFERENCE);
        }
    }

    @Nested
    class Drawing extends SamplingLaws {
        Drawing() {
            super(REFERENCE);
        }
    }

    @Nested
    class SparsePrefill extends SparsePrefillLaws {
        SparsePrefill() {
            super(REFERENCE);
        }
    }
}
