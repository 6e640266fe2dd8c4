package io.shadowkv.engine.laws;

import io.shadowkv.op.reference.ReferenceBackend;
import org.junit.jupiter.api.Nested;

/// The laws on plain loops behind the liberties of a device: what is padded, replayed or done late changes no bit.
class DeviceLikeLawsTest {
    private static final BackendUnderTest DEVICE =
            BackendUnderTest.exact(() -> new DeviceLikeBackend(new ReferenceBackend()));

    @Nested
    class Cache extends CacheLaws {
        Cache() {
            super(DEVICE);
        }
    }

    @Nested
    class Shadow extends ShadowLaws {
        Shadow() {
            super(DEVICE);
        }
    }

    @Nested
    class Completions extends CompletionLaws {
        Completions() {
            super(DEVICE);
        }
    }

    @Nested
    class Comparisons extends ComparisonLaws {
        Comparisons() {
            super(DEVICE);
        }
    }

    @Nested
    class ComparisonEdges extends ComparisonEdgeLaws {
        ComparisonEdges() {
            super(DEVICE);
        }
    }

    @Nested
    class Interruptions extends InterruptionLaws {
        Interruptions() {
            super(DEVICE);
        }
    }

    @Nested
    class Conversations extends ConversationLaws {
        Conversations() {
            super(DEVICE);
        }
    }

    @Nested
    class Memory extends MemoryLaws {
        Memory() {
            super(DEVICE);
        }
    }

    @Nested
    class Scheduling extends SchedulerLaws {
        Scheduling() {
            super(DEVICE);
        }
    }

    @Nested
    class Serving extends ServingLaws {
        Serving() {
            super(DEVICE);
        }
    }

    @Nested
    class Listeners extends ListenerLaws {
        Listeners() {
            super(DEVICE);
        }
    }

    @Nested
    class Growing extends GrowthLaws {
        Growing() {
            super(DEVICE);
        }
    }

    @Nested
    class Forks extends ForkLaws {
        Forks() {
            super(DEVICE);
        }
    }

    @Nested
    class Families extends FamilyLaws {
        Families() {
            super(DEVICE);
        }
    }

    @Nested
    class SharedTurns extends SharedTurnLaws {
        SharedTurns() {
            super(DEVICE);
        }
    }

    @Nested
    class TurnScheduling extends TurnSchedulingLaws {
        TurnScheduling() {
            super(DEVICE);
        }
    }

    @Nested
    class Turns extends TurnLaws {
        Turns() {
            super(DEVICE);
        }
    }

    @Nested
    class Calibrations extends CalibrationLaws {
        Calibrations() {
            super(DEVICE);
        }
    }

    @Nested
    class TurnWaiting extends TurnWaitingLaws {
        TurnWaiting() {
            super(DEVICE);
        }
    }

    @Nested
    class LayerBudgets extends LayerBudgetLaws {
        LayerBudgets() {
            super(DEVICE);
        }
    }

    @Nested
    class Codes extends TokenCodeLaws {
        Codes() {
            super(DEVICE);
        }
    }

    @Nested
    class Documents extends DocumentLaws {
        Documents() {
            super(DEVICE);
        }
    }

    @Nested
    class Drawing extends SamplingLaws {
        Drawing() {
            super(DEVICE);
        }
    }
}
