package io.shadowkv.op.reference;

import io.shadowkv.op.AttentionOperations.BlockLists;
import io.shadowkv.op.AttentionOperations.BlockRule;
import io.shadowkv.tensor.Tensor;
import java.util.function.IntToDoubleFunction;
import org.jspecify.annotations.Nullable;

/// Selects key blocks by their scores, one list after the other.
final class ReferenceBlockChoice {
    private ReferenceBlockChoice() {}

    static void run(@Nullable Tensor scores, BlockRule rule, int firstToken, int tokens, BlockLists target) {
        double[] all = scores == null ? new double[0] : Elements.read(scores);
        int scored = scores == null ? 0 : scores.extent(1);
        int width = scores == null ? 0 : scores.extent(2);
        int block = target.blockTokens();
        for (int h = 0; h < target.counts().extent(0); h++) {
            for (int b = 0; b < target.queryBlocks(); b++) {
                int own = firstToken / block + b;
                int at = (h * scored + b) * width;
                IntToDoubleFunction row = j -> all[at + j];
                double highest = b < scored ? BlockRule.highest(row, own) : 0;
                long list = (long) h * target.queryBlocks() + b;
                int count = 0;
                for (int j = 0; j <= own; j++) {
                    if (b >= scored || rule.keeps(h, own, j, row.applyAsDouble(j), highest)) {
                        Elements.writeInt(
                                target.starts(), list * target.starts().extent(2) + count++, j * block);
                    }
                }
                Elements.writeInt(target.counts(), list, count);
                int rows = Math.min(firstToken + tokens, (own + 1) * block) - Math.max(firstToken, own * block);
                Elements.addLong(target.work(), 0, (long) rows * (count - 1));
            }
        }
    }
}
