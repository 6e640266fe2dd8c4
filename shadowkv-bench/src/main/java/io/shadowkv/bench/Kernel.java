package io.shadowkv.bench;

import io.shadowkv.op.AttendedRows;
import io.shadowkv.op.SlotTable;
import io.shadowkv.op.StepRows;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Tensor;
import java.util.function.Function;

/// The measured kernels: their operands, and the minimum work that each requires.
public enum Kernel {
    GEMM_BF16(Unit.FLOP, 2.0 * 512 * 4096 * 4096, operands -> linear(operands, DType.BF16, 512, 4096, 4096)),
    GEMM_F32(Unit.FLOP, 2.0 * 512 * 4096 * 4096, operands -> linear(operands, DType.F32, 512, 4096, 4096)),
    GEMM_F16(Unit.FLOP, 2.0 * 512 * 4096 * 4096, operands -> linear(operands, DType.F16, 512, 4096, 4096)),
    GEMV_BF16(Unit.BYTE, 2.0 * 4096 * 14336, operands -> linear(operands, DType.BF16, 1, 4096, 14336)),
    GEMV_F16(Unit.BYTE, 2.0 * 4096 * 14336, operands -> linear(operands, DType.F16, 1, 4096, 14336)),
    GEMV_F32(Unit.BYTE, 4.0 * 4096 * 14336, operands -> linear(operands, DType.F32, 1, 4096, 14336)),
    GEMV_BF16_ROWS_4(Unit.BYTE, 2.0 * 4096 * 14336, operands -> linear(operands, DType.BF16, 4, 4096, 14336)),
    GEMV_BF16_ROWS_8(Unit.BYTE, 2.0 * 4096 * 14336, operands -> linear(operands, DType.BF16, 8, 4096, 14336)),
    PREFILL_8_HEADS_64(Unit.FLOP, causal(8192, 8, 64), operands -> prefill(operands, 8192, 8, 4, 64)),
    PREFILL_32_HEADS_128(Unit.FLOP, causal(4096, 32, 128), operands -> prefill(operands, 4096, 32, 8, 128)),
    DECODE_8_HEADS_64(Unit.BYTE, 2.0 * 2 * 32768 * 4 * 64, operands -> decode(operands, 32768, 8, 4, 64)),
    DECODE_32_HEADS_128(Unit.BYTE, 2.0 * 2 * 32768 * 8 * 128, operands -> decode(operands, 32768, 32, 8, 128)),
    SCORE_32K(Unit.BYTE, 2.0 * 4096 * 8 * 128, operands -> new ShadowCase(operands)::score),
    SCORE_CODES_32K(Unit.BYTE, 34.0 * 32_768 * 8, operands -> new ShadowCase(operands)::scoreCodes),
    SELECT_32K(Unit.BYTE, 4.0 * 4096 * 8, operands -> new ShadowCase(operands)::select),
    REBUILD_32K(
            Unit.FLOP,
            2.0 * ShadowCase.MISSES * ShadowCase.UNIT_TOKENS * 8 * 128 * ShadowCase.RANK,
            operands -> new ShadowCase(operands)::rebuild),
    FETCH_32K(
            Unit.BYTE,
            2.0 * 2 * ShadowCase.MISSES * ShadowCase.UNIT_TOKENS * 8 * 128,
            operands -> new ShadowCase(operands)::fetch),
    GRAM_1024(Unit.FLOP, 4096.0 * 1024 * 1024, Kernel::gram),
    EIGEN_160_OF_1024(Unit.RUN, 1, operands -> eigen(operands, 1024, 160)),
    EIGEN_64_OF_256(Unit.RUN, 1, operands -> eigen(operands, 256, 64)),
    TOP_1024_OF_128K(Unit.BYTE, 4.0 * 128_256, operands -> topLogits(operands, 1024)),
    TOP_64_OF_128K(Unit.BYTE, 4.0 * 128_256, operands -> topLogits(operands, 64));

    private final Unit unit;
    private final double work;
    /// A lambda without state, which the static checker cannot know.
    @SuppressWarnings("ImmutableEnumChecker")
    private final Function<Operands, Runnable> preparation;

    Kernel(Unit unit, double work, Function<Operands, Runnable> preparation) {
        this.unit = unit;
        this.work = work;
        this.preparation = preparation;
    }

    Unit unit() {
        return unit;
    }

    /// Work of one run: FLOP, or the bytes that must be read or written at least once.
    double work() {
        return work;
    }

    Runnable prepare(Operands operands) {
        return preparation.apply(operands);
    }

    private static Runnable linear(Operands operands, DType type, int rows, int inputs, int outputs) {
        Tensor x = operands.random(DType.F32, rows, inputs);
        Tensor weight = operands.random(type, outputs, inputs);
        Tensor out = operands.zeros(DType.F32, rows, outputs);
        return () -> operands.operations().dense().linear(x, weight, null, out);
    }

    /// Both products of causal attention: four operations per element for each pair of a query and
    /// a key that it reads.
    private static double causal(int tokens, int queryHeads, int headDim) {
        return 4.0 * queryHeads * headDim * tokens * (tokens + 1.0) / 2;
    }

    private static Runnable prefill(Operands operands, int tokens, int queryHeads, int kvHeads, int headDim) {
        Tensor queries = operands.random(DType.F32, tokens, queryHeads, headDim);
        Tensor keys = operands.random(DType.BF16, kvHeads, tokens, headDim);
        Tensor values = operands.random(DType.BF16, kvHeads, tokens, headDim);
        Tensor out = operands.zeros(DType.F32, tokens, queryHeads, headDim);
        double scale = 1 / Math.sqrt(headDim);
        return () -> operands.operations().attention().prefill(queries, keys, values, tokens, scale, out);
    }

    private static Runnable decode(Operands operands, int attended, int queryHeads, int kvHeads, int headDim) {
        Tensor queries = operands.random(DType.F32, 1, queryHeads, headDim);
        var table = new SlotTable<AttendedRows>();
        table.set(
                0,
                new AttendedRows(
                        operands.random(DType.BF16, kvHeads, attended, headDim),
                        operands.random(DType.BF16, kvHeads, attended, headDim)));
        StepRows rows = operands.oneRow(attended, 0);
        Tensor out = operands.zeros(DType.F32, 1, queryHeads, headDim);
        double scale = 1 / Math.sqrt(headDim);
        return () -> operands.operations().attention().decode(queries, table, rows, scale, out);
    }

    private static Runnable topLogits(Operands operands, int k) {
        Tensor logits = operands.random(DType.F32, 1, 128_256);
        Tensor inverseTemperatures = operands.random(DType.F32, 1);
        Tensor values = operands.zeros(DType.F32, 1, k);
        Tensor ids = operands.zeros(DType.I32, 1, k);
        Tensor logSums = operands.zeros(DType.F32, 1, 2);
        return () -> operands.operations().sampling().topLogits(logits, inverseTemperatures, values, ids, logSums);
    }

    private static Runnable gram(Operands operands) {
        Tensor keys = operands.random(DType.BF16, 4096, 1024);
        Tensor gram = operands.zeros(DType.F32, 1024, 1024);
        return () -> operands.operations().shadow().accumulateGram(keys, gram);
    }

    /// The Gram matrix of keys whose k-th direction has weight (1 + k)^-0.6: its eigenvalues fall
    /// as slowly as those of real keys.
    private static Runnable eigen(Operands operands, int width, int rank) {
        Tensor mixing = operands.random(DType.F32, width, width);
        for (int i = 0; i < width; i++) {
            for (int k = 0; k < width; k++) {
                long at = ((long) i * width + k) * Float.BYTES;
                float value = mixing.segment().get(java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED, at);
                mixing.segment().set(java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED, at, (float)
                        (value * Math.pow(1 + k, -0.6)));
            }
        }
        Tensor keys = operands.zeros(DType.F32, 2 * width, width);
        operands.operations().dense().linear(operands.random(DType.F32, 2 * width, width), mixing, null, keys);
        Tensor gram = operands.zeros(DType.F32, width, width);
        operands.operations().shadow().accumulateGram(keys, gram);
        Tensor basis = operands.zeros(DType.BF16, rank, width);
        return () -> operands.operations().shadow().topEigenvectors(gram, basis);
    }

    /// The unit of work, which also selects the ceiling to compare with.
    enum Unit {
        FLOP,
        BYTE,
        RUN
    }
}
