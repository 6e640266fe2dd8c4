package io.shadowkv.cuda;

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
import org.junit.jupiter.api.Nested;

/// The laws on the device, where the order of sums depends on the number of rows.
@GpuTest
class CudaLawsTest {
    /// cuBLASLt chooses its algorithm by the number of rows.
    private static final BackendUnderTest CUDA =
            BackendUnderTest.rounding(SharedCuda::new).batchDependent();

    @Nested
    class Cache extends CacheLaws {
        Cache() {
            super(CUDA);
        }
    }

    @Nested
    class Shadow extends ShadowLaws {
        Shadow() {
            super(CUDA);
        }
    }

    @Nested
    class Completions extends CompletionLaws {
        Completions() {
            super(CUDA);
        }
    }

    @Nested
    class Comparisons extends ComparisonLaws {
        Comparisons() {
            super(CUDA);
        }
    }

    @Nested
    class ComparisonEdges extends ComparisonEdgeLaws {
        ComparisonEdges() {
            super(CUDA);
        }
    }

    @Nested
    class Interruptions extends InterruptionLaws {
        Interruptions() {
            super(CUDA);
        }
    }

    @Nested
    class Memory extends MemoryLaws {
        Memory() {
            super(CUDA);
        }
    }

    @Nested
    class Conversations extends ConversationLaws {
        Conversations() {
            super(CUDA);
        }
    }

    @Nested
    class Scheduling extends SchedulerLaws {
        Scheduling() {
            super(CUDA);
        }
    }

    @Nested
    class Serving extends ServingLaws {
        Serving() {
            super(CUDA);
        }
    }

    @Nested
    class Listeners extends ListenerLaws {
        Listeners() {
            super(CUDA);
        }
    }

    @Nested
    class Growing extends GrowthLaws {
        Growing() {
            super(CUDA);
        }
    }

    @Nested
    class Forks extends ForkLaws {
        Forks() {
            super(CUDA);
        }
    }

    @Nested
    class QuantisedWeights extends QuantisedWeightLaws {
        QuantisedWeights() {
            super(CUDA);
        }
    }

    @Nested
    class Families extends FamilyLaws {
        Families() {
            super(CUDA);
        }
    }

    @Nested
    class SharedTurns extends SharedTurnLaws {
        SharedTurns() {
            super(CUDA);
        }
    }

    @Nested
    class TurnScheduling extends TurnSchedulingLaws {
        TurnScheduling() {
            super(CUDA);
        }
    }

    @Nested
    class Codes extends TokenCodeLaws {
        Codes() {
            super(CUDA);
        }
    }

    @Nested
    class Turns extends TurnLaws {
        Turns() {
            super(CUDA);
        }
    }

    @Nested
    class Calibrations extends CalibrationLaws {
        Calibrations() {
            super(CUDA);
        }
    }

    @Nested
    class TurnWaiting extends TurnWaitingLaws {
        TurnWaiting() {
            super(CUDA);
        }
    }

    @Nested
    class LayerBudgets extends LayerBudgetLaws {
        LayerBudgets() {
            super(CUDA);
        }
    }

    @Nested
    class Documents extends DocumentLaws {
        Documents() {
            super(CUDA);
        }
    }

    @Nested
    class SparsePrefill extends SparsePrefillLaws {
        SparsePrefill() {
            super(CUDA);
        }
    }

    @Nested
    class Drawing extends SamplingLaws {
        Drawing() {
            super(CUDA);
        }
    }
}
