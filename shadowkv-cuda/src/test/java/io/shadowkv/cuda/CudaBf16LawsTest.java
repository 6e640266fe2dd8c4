package io.shadowkv.cuda;

import io.shadowkv.engine.laws.BackendUnderTest;
import io.shadowkv.engine.laws.FamilyLaws;
import io.shadowkv.engine.laws.ForkLaws;
import io.shadowkv.engine.laws.GrowthLaws;
import io.shadowkv.engine.laws.LayerBudgetLaws;
import io.shadowkv.engine.laws.QuantisedWeightLaws;
import io.shadowkv.engine.laws.ShadowLaws;
import io.shadowkv.engine.laws.SharedTurnLaws;
import io.shadowkv.engine.laws.TokenCodeLaws;
import io.shadowkv.engine.laws.TurnLaws;
import org.junit.jupiter.api.Nested;

/// The laws in BF16, where head dims 64 and 128 use the tuned kernels, in recorded steps.
@GpuTest
class CudaBf16LawsTest {
    private static final BackendUnderTest CUDA =
            BackendUnderTest.rounding(SharedCuda::new).batchDependent().bf16();

    @Nested
    class Shadow extends ShadowLaws {
        Shadow() {
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
    class LayerBudgets extends LayerBudgetLaws {
        LayerBudgets() {
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
}
