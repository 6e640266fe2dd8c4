package io.shadowkv.cpu.attention;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

import io.shadowkv.cpu.vector.WorkerPool;
import io.shadowkv.op.AttentionOperations.BlockLists;
import io.shadowkv.op.AttentionOperations.BlockRule;
import io.shadowkv.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.IntToDoubleFunction;
import org.jspecify.annotations.Nullable;

/// The choice of key blocks by their scores, a task for each list. One instance per call.
final class BlockChoice {
    private final float[] scores;
    private final int scored;
    private final int width;
    private final BlockRule rule;
    private final int firstToken;
    private final int tokens;
    private final BlockLists target;
    private final LongAdder work = new LongAdder();

    BlockChoice(@Nullable Tensor scores, BlockRule rule, int firstToken, int tokens, BlockLists target) {
        this.scores = scores == null ? new float[0] : scores.segment().toArray(JAVA_FLOAT_UNALIGNED);
        this.scored = scores == null ? 0 : scores.extent(1);
        this.width = scores == null ? 0 : scores.extent(2);
        this.rule = rule;
        this.firstToken = firstToken;
        this.tokens = tokens;
        this.target = target;
    }

    void run(WorkerPool pool) {
        pool.each(target.counts().extent(0) * target.queryBlocks(), (list, scratch) -> choose(list));
        MemorySegment total = target.work().segment();
        total.set(JAVA_LONG_UNALIGNED, 0, total.get(JAVA_LONG_UNALIGNED, 0) + work.sum());
    }

    private void choose(int list) {
        int head = list / target.queryBlocks();
        int queryBlock = list % target.queryBlocks();
        int block = target.blockTokens();
        int own = firstToken / block + queryBlock;
        int at = (head * scored + queryBlock) * width;
        IntToDoubleFunction row = j -> scores[at + j];
        double highest = queryBlock < scored ? BlockRule.highest(row, own) : 0;
        MemorySegment starts = target.starts().segment();
        long first = (long) list * target.starts().extent(2);
        int count = 0;
        for (int j = 0; j <= own; j++) {
            if (queryBlock >= scored || rule.keeps(head, own, j, scores[at + j], highest)) {
                starts.set(JAVA_INT_UNALIGNED, (first + count++) * Integer.BYTES, j * block);
            }
        }
        target.counts().segment().set(JAVA_INT_UNALIGNED, (long) list * Integer.BYTES, count);
        int rows = Math.min(firstToken + tokens, (own + 1) * block) - Math.max(firstToken, own * block);
        work.add((long) rows * (count - 1));
    }
}
