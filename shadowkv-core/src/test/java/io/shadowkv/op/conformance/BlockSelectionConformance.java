package io.shadowkv.op.conformance;

import static org.assertj.core.api.Assertions.assertThat;

import io.shadowkv.op.AttentionOperations.BlockLists;
import io.shadowkv.op.AttentionOperations.BlockRule;
import io.shadowkv.op.testing.Judge;
import io.shadowkv.op.testing.Placement;
import io.shadowkv.op.testing.Sample;
import io.shadowkv.op.testing.Workbench;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Tensor;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalDouble;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/// The selection of key blocks by their scores.
public abstract class BlockSelectionConformance extends BackendConformance {
    /// First row, number of rows, block size, scored row blocks: whole prompts, slices that begin and end
    /// inside blocks, more blocks than threads of a GPU's block.
    private static final List<int[]> SIZES = List.of(
            new int[] {0, 1, 16, 1},
            new int[] {0, 97, 16, 7},
            new int[] {37, 50, 16, 4},
            new int[] {70, 70, 128, 1},
            new int[] {8000, 300, 8, 30},
            new int[] {512, 256, 128, 0});

    private final Judge judge = new Judge();

    @Test
    void keepsBlocksByScoreAndPlace() {
        for (int[] sizes : SIZES) {
            for (double threshold : new double[] {0, 0.1, 0.7, 1}) {
                select(sizes, new BlockRule(threshold, 2, 3, OptionalDouble.empty()), false);
            }
            select(sizes, new BlockRule(0.9, 0, 1, OptionalDouble.empty()), false);
        }
    }

    /// A score that is not a number must not drop a block.
    @Test
    void keepsBlocksWithoutAScore() {
        for (int[] sizes : SIZES) {
            select(sizes, new BlockRule(0.7, 1, 1, OptionalDouble.empty()), true);
        }
    }

    @Test
    void keepsTheForcedShare() {
        for (int[] sizes : SIZES) {
            select(sizes, new BlockRule(0.1, 2, 4, OptionalDouble.of(0.3)), false);
        }
        var rule = new BlockRule(0.1, 2, 4, OptionalDouble.of(0.09));
        int[] counts = select(new int[] {16000, 1024, 8, 128}, rule, false);
        double share = (double) IntStream.of(counts).sum()
                / IntStream.range(2000, 2128).map(own -> 2 * (own + 1)).sum();
        assertThat(share).isBetween(0.087, 0.093);
    }

    /// @return number of key blocks in each list
    private int[] select(int[] sizes, BlockRule rule, boolean withNaN) {
        int first = sizes[0] / sizes[2];
        int queryBlocks = (sizes[0] + sizes[1] - 1) / sizes[2] - first + 1;
        int width = first + queryBlocks;
        try (Workbench bench = workbench(
                "selection of blocks, %d rows from %d, blocks of %d, %d scored, %s",
                sizes[1], sizes[0], sizes[2], sizes[3], rule)) {
            Sample scores = bench.normal(DType.F32, 2, Math.max(1, sizes[3]), width + 3);
            for (int i = 0; i < scores.values().length; i++) {
                boolean isMissing = withNaN && i % 53 == 1 || i % (width + 3) >= width;
                scores.values()[i] = isMissing ? Float.NaN : Math.abs(scores.values()[i]);
            }
            Sample scored = sizes[3] == 0 ? null : scores;
            BlockLists lists = lists(bench, sizes[2], queryBlocks, width);
            BlockLists expected = lists(judge, sizes[2], queryBlocks, width);
            for (int time = 1; time <= 2; time++) {
                bench.operations().attention().selectBlocks(placed(bench, scored), rule, sizes[0], sizes[1], lists);
                judge.operations().attention().selectBlocks(placed(judge, scored), rule, sizes[0], sizes[1], expected);
                int[] counts = bench.intValues(lists.counts());
                int[] starts = bench.intValues(lists.starts());
                assertThat(counts).as(bench.description()).isEqualTo(ints(expected.counts()));
                assertThat(starts).as(bench.description()).isEqualTo(ints(expected.starts()));
                for (int list = 0; list < counts.length && rule.forcedShare().isEmpty(); list++) {
                    int at = list * (width + 1);
                    assertThat(Arrays.copyOfRange(starts, at, at + counts[list]))
                            .as("%s, list %d", bench.description(), list)
                            .isEqualTo(kept(sizes, rule, scored, list / queryBlocks, list % queryBlocks));
                }
                assertThat(bench.longValues(lists.work())[0])
                        .as(bench.description())
                        .isEqualTo(time * work(sizes, counts, queryBlocks));
            }
            return bench.intValues(lists.counts());
        }
    }

    private static int[] ints(Tensor tensor) {
        return tensor.segment().toArray(ValueLayout.JAVA_INT_UNALIGNED);
    }

    private static @Nullable Tensor placed(Placement side, @Nullable Sample scores) {
        return scores == null ? null : side.input(scores);
    }

    /// Entries that nothing writes are -7.
    private static BlockLists lists(Placement side, int block, int queryBlocks, int width) {
        int[] unwritten = IntStream.generate(() -> -7)
                .limit(2L * queryBlocks * (width + 1))
                .toArray();
        return new BlockLists(
                block,
                side.ints(unwritten, 2, queryBlocks, width + 1),
                side.ints(new int[2 * queryBlocks], 2, queryBlocks),
                side.longs(1));
    }

    /// The rule in plain words.
    private static int[] kept(int[] sizes, BlockRule rule, @Nullable Sample scores, int head, int queryBlock) {
        int own = sizes[0] / sizes[2] + queryBlock;
        IntStream blocks = IntStream.rangeClosed(0, own);
        if (scores == null || queryBlock >= sizes[3]) {
            return blocks.map(j -> j * sizes[2]).toArray();
        }
        int row = (head * sizes[3] + queryBlock) * scores.extent(2);
        float highest = 0;
        for (int j = 0; j <= own; j++) {
            highest = Math.max(highest, scores.values()[row + j]);
        }
        double least = rule.threshold() * highest;
        return blocks.filter(j ->
                        j < rule.firstBlocks() || own - j < rule.nearestBlocks() || !(scores.values()[row + j] < least))
                .map(j -> j * sizes[2])
                .toArray();
    }

    private static long work(int[] sizes, int[] counts, int queryBlocks) {
        long work = 0;
        for (int row = sizes[0]; row < sizes[0] + sizes[1]; row++) {
            for (int h = 0; h < 2; h++) {
                work += counts[h * queryBlocks + row / sizes[2] - sizes[0] / sizes[2]] - 1;
            }
        }
        return work;
    }
}
