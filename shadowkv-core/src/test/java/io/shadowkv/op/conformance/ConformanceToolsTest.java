package io.shadowkv.op.conformance;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shadowkv.op.reference.ReferenceBackend;
import io.shadowkv.op.testing.Closeness;
import io.shadowkv.op.testing.Workbench;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Floats;
import io.shadowkv.tensor.Shape;
import io.shadowkv.tensor.Tensor;
import org.junit.jupiter.api.Test;

/// The conformance suite's own measures can fail: each is shown the fault it is there to find.
class ConformanceToolsTest {
    private static final double[] EXACT = {1, -2, 0.5};

    private final Closeness closeness = new Closeness("case", DType.F32, 3);

    @Test
    void acceptsTwiceThePlainErrorAndNoMore() {
        float[] plain = {1.00001f, -2, 0.5f};
        assertThatCode(() -> closeness.check(EXACT, plain, new float[] {1, -2.000019f, 0.5f}))
                .doesNotThrowAnyException();
        assertThatThrownBy(() -> closeness.check(EXACT, plain, new float[] {1, -2.00003f, 0.5f}))
                .isInstanceOf(AssertionError.class)
                .hasMessageContaining("allowed");
    }

    @Test
    void refusesNoNumberWhereOneIsDue() {
        float[] plain = {1, -2, 0.5f};
        assertThatThrownBy(() -> closeness.check(EXACT, plain, new float[] {1, Float.NaN, 0.5f}))
                .isInstanceOf(AssertionError.class)
                .hasMessageContaining("error NaN");
        double[] untouched = {1, Double.NaN, 0.5};
        float[] plainUntouched = {1, Float.NaN, 0.5f};
        assertThatThrownBy(() -> closeness.check(untouched, plainUntouched, plain))
                .isInstanceOf(AssertionError.class);
    }

    @Test
    void refusesAJudgeThatDisagreesWithThePlainLoop() {
        float[] plain = {1.001f, -2, 0.5f};
        assertThatThrownBy(() -> closeness.check(EXACT, plain, new float[] {1, -2, 0.5f}))
                .isInstanceOf(AssertionError.class)
                .hasMessageContaining("judge and plain float loop agree");
    }

    @Test
    void findsElementsWrittenBesideAnOutput() {
        for (int beside : new int[] {-1, 4}) {
            Workbench bench = new Workbench(new ReferenceBackend(), DType.F32, "case", 3);
            write(bench.output(DType.F32, 4), beside, 0);
            assertThatThrownBy(bench::close).isInstanceOf(AssertionError.class).hasMessageContaining("elements around");
        }
    }

    @Test
    void findsAChangedInput() {
        for (int at : new int[] {-1, 0, 3, 4}) {
            Workbench bench = new Workbench(new ReferenceBackend(), DType.F32, "case", 3);
            write(bench.input(bench.normal(DType.BF16, 4)), at, 9);
            assertThatThrownBy(bench::close).isInstanceOf(AssertionError.class).hasMessageContaining("input [4]");
        }
    }

    @Test
    void findsIntsWrittenBesideTheirTensor() {
        Workbench bench = new Workbench(new ReferenceBackend(), DType.F32, "case", 3);
        Tensor ints = bench.intOutput(2);
        Tensor wider = new Tensor(DType.I32, Shape.of(3), ints.memory(), ints.byteOffset());
        new ReferenceBackend().upload(new int[] {1, 2, 3}, wider);
        assertThatThrownBy(bench::close).isInstanceOf(AssertionError.class).hasMessageContaining("ints around");
    }

    @Test
    void passesWhenOnlyTheOutputIsWritten() {
        Workbench bench = new Workbench(new ReferenceBackend(), DType.F32, "case", 3);
        Tensor out = bench.output(DType.F16, 4);
        bench.operations().dense().copy(bench.input(bench.normal(DType.F32, 4)), out);
        assertThatCode(bench::close).doesNotThrowAnyException();
    }

    /// Writes element `at` of a view, which may lie outside it.
    private static void write(Tensor view, int at, double value) {
        long offset = view.byteOffset() + (long) at * view.dtype().bytes();
        Tensor element = new Tensor(view.dtype(), Shape.of(1), view.memory(), offset);
        Floats.set(view.dtype(), element.segment(), 0, value);
    }
}
