package io.shadowkv.cpu;

import io.shadowkv.engine.laws.BackendUnderTest;
import io.shadowkv.engine.laws.CacheLaws;
import io.shadowkv.engine.laws.CalibrationLaws;
import io.shadowkv.engine.laws.ComparisonEdgeLaws;
import io.shadowkv.engine.laws.ComparisonLaws;
import io.shadowkv.engine.laws.CompletionLaws;
import io.shadowkv.engine.laws.ConversationLaws;
import io.shadowkv.engine.laws.DocumentLaws;
import io.shadowkv.engine.laws.FamilyLaws;
import io.shadowkv.engine.laws.ForkLaws;
import io.shadowkv.engine.laws.GrowthLaws;
import io.shadowkv.engine.laws.InterruptionLaws;
import io.shadowkv.engine.laws.LayerBudgetLaws;
import io.shadowkv.engine.laws.ListenerLaws;
import io.shadowkv.engine.laws.MemoryLaws;
import io.shadowkv.engine.laws.QuantisedWeightLaws;
import io.shadowkv.engine.laws.SamplingLaws;
import io.shadowkv.engine.laws.SchedulerLaws;
import io.shadowkv.engine.laws.ServingLaws;
import io.shadowkv.engine.laws.ShadowLaws;
import io.shadowkv.engine.laws.SharedTurnLaws;
import io.shadowkv.engine.laws.SparsePrefillLaws;
import io.shadowkv.engine.laws.TokenCodeLaws;
import io.shadowkv.engine.laws.TurnLaws;
import io.shadowkv.engine.laws.TurnSchedulingLaws;
import io.shadowkv.engine.laws.TurnWaitingLaws;
import io.shadowkv.op.BackendProvider.BackendOptions;
import org.junit.jupiter.api.Nested;

/// The laws on the CPU's kernels, which may sum in another order for another number of rows.
class CpuLawsTest {
    private static final BackendUnderTest CPU =
            BackendUnderTest.rounding(() -> new CpuBackendProvider().open(BackendOptions.DEFAULT));

    @Nested
    class Cache extends CacheLaws {
        Cache() {
            super(CPU);
        }
    }

    @Nested
    class Shadow extends ShadowLaws {
        Shadow() {
            super(CPU);
        }
    }

    @Nested
    class Completions extends CompletionLaws {
        Completions() {
            super(CPU);
        }
    }

    @Nested
    class Comparisons extends ComparisonLaws {
        Comparisons() {
            super(CPU);
        }
    }

    @Nested
    class ComparisonEdges extends ComparisonEdgeLaws {
        ComparisonEdges() {
            super(CPU);
        }
    }

    @Nested
    class Interruptions extends InterruptionLaws {
        Interruptions() {
            super(CPU);
        }
    }

    @Nested
    class Memory extends MemoryLaws {
        Memory() {
            super(CPU);
        }
    }

    @Nested
    class Conversations extends ConversationLaws {
        Conversations() {
            super(CPU);
        }
    }

    @Nested
    class Scheduling extends SchedulerLaws {
        Scheduling() {
            super(CPU);
        }
    }

    @Nested
    class Serving extends ServingLaws {
        Serving() {
            super(CPU);
        }
    }

    @Nested
    class Listeners extends ListenerLaws {
        Listeners() {
            super(CPU);
        }
    }

    @Nested
    class Growing extends GrowthLaws {
        Growing() {
            super(CPU);
        }
    }

    @Nested
    class Forks extends ForkLaws {
        Forks() {
            super(CPU);
        }
    }

    @Nested
    class QuantisedWeights extends QuantisedWeightLaws {
        QuantisedWeights() {
            super(CPU);
        }
    }

    @Nested
    class Families extends FamilyLaws {
        Families() {
            super(CPU);
        }
    }

    @Nested
    class SharedTurns extends SharedTurnLaws {
        SharedTurns() {
            super(CPU);
        }
    }

    @Nested
    class TurnScheduling extends TurnSchedulingLaws {
        TurnScheduling() {
            super(CPU);
        }
    }

    @Nested
    class Turns extends TurnLaws {
        Turns() {
            super(CPU);
        }
    }

    @Nested
    class Calibrations extends CalibrationLaws {
        Calibrations() {
            super(CPU);
        }
    }

    @Nested
    class TurnWaiting extends TurnWaitingLaws {
        TurnWaiting() {
            super(CPU);
        }
    }

    @Nested
    class LayerBudgets extends LayerBudgetLaws {
        LayerBudgets() {
            super(CPU);
        }
    }

    @Nested
    class Codes extends TokenCodeLaws {
        Codes() {
            super(CPU);
        }
    }

    @Nested
    class Documents extends DocumentLaws {
        Documents() {
            super(CPU);
        }
    }

    @Nested
    class Drawing extends SamplingLaws {
        Drawing() {
            super(CPU);
        }
    }

    @Nested
    class SparsePrefill extends SparsePrefillLaws {
        SparsePrefill() {
            super(CPU);
        }
    }
}
