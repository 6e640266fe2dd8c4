package io.shadowkv.cpu.attention;

import io.shadowkv.cpu.linear.MicroKernel;
import io.shadowkv.cpu.vector.FloatRows;
import io.shadowkv.cpu.vector.LaneSum;
import io.shadowkv.cpu.vector.Scratch;
import io.shadowkv.cpu.vector.Scratch.Use;
import io.shadowkv.cpu.vector.VectorMath;
import io.shadowkv.cpu.vector.VectorWidth;
import io.shadowkv.cpu.vector.WorkerPool;
import io.shadowkv.tensor.Tensor;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;

/// How much blocks of query rows attend to key blocks, by the mean keys of the blocks. The lanes of a
/// vector are query rows, as in [PrefillAttention]. One instance per call.
final class BlockScores {
    private static final int PANEL = MicroKernel.PANEL;
    private static final int LANES = VectorWidth.LANES;
    private static final int ROWS = MicroKernel.ROWS;

    private final QueryTiles tiles;
    private final FloatRows means;
    private final FloatRows scores;
    private final int blockTokens;
    private final int firstToken;
    private final int tokens;
    private final int headDim;
    private final int kvHeads;
    private final int groupSize;
    private final int meanBlocks;
    private final int width;
    private final int queryBlocks;

    BlockScores(Tensor queries, Tensor means, int blockTokens, int firstToken, double scale, Tensor scores) {
        this.means = new FloatRows(means);
        this.scores = new FloatRows(scores);
        this.blockTokens = blockTokens;
        this.firstToken = firstToken;
        tokens = queries.extent(0);
        headDim = queries.extent(2);
        kvHeads = means.extent(0);
        meanBlocks = means.extent(1);
        groupSize = queries.extent(1) / kvHeads;
        queryBlocks = scores.extent(1);
        width = scores.extent(2);
        tiles = new QueryTiles(queries, groupSize, scale);
    }

    void run(WorkerPool pool) {
        pool.each(queryBlocks * kvHeads, (i, scratch) -> score(i % kvHeads, queryBlocks - 1 - i / kvHeads, scratch));
    }

    private void score(int head, int queryBlock, Scratch scratch) {
        int own = firstToken / blockTokens + queryBlock;
        int from = Math.max(0, own * blockTokens - firstToken);
        int rows = (Math.min(tokens, (own + 1) * blockTokens - firstToken) - from) * groupSize;
        int count = own + 1;
        float[] packed = tiles.pack(head, from, rows, scratch);
        float[] exponents = scratch.floats(Use.SCORES, Math.ceilDiv(count, ROWS) * ROWS * PANEL);
        float[] sums = scratch.floats(Use.SUMS, count);
        Arrays.fill(sums, 0, count, 0);
        for (int panel = 0; panel < Math.ceilDiv(rows, PANEL); panel++) {
            exponents(head, count, packed, panel, exponents, scratch);
            int valid = Math.min(PANEL, rows - panel * PANEL);
            for (int lane = 0; lane < valid; lane += LANES) {
                add(exponents, lane, Math.min(LANES, valid - lane), count, sums);
            }
        }
        scores.store(sums, 0, ((long) head * queryBlocks + queryBlock) * width, count);
    }

    /// `exponents[J, row] = means[J] · query of the row`, for a panel of rows.
    private void exponents(int head, int count, float[] packed, int panel, float[] exponents, Scratch scratch) {
        float[] tile = scratch.floats(Use.BROADCAST_ROWS, ROWS * MicroKernel.ROW_STRIDE);
        var kernel = new MicroKernel(tile, packed, exponents);
        Arrays.fill(exponents, 0, Math.ceilDiv(count, ROWS) * ROWS * PANEL, 0);
        for (int j = 0; j < count; j += ROWS) {
            for (int k = 0; k < headDim; k += MicroKernel.DEPTH) {
                int depth = Math.min(MicroKernel.DEPTH, headDim - k);
                for (int i = 0; i < Math.min(ROWS, count - j); i++) {
                    long row = (long) head * meanBlocks + j + i;
                    means.load(row * headDim + k, tile, i * MicroKernel.ROW_STRIDE, depth);
                }
                kernel.rows(0, (panel * headDim + k) * PANEL, j * PANEL, PANEL, depth);
            }
        }
    }

    /// Adds the exponentials of some rows relative to each row's largest exponent.
    ///
    /// @param lane first row within the panel
    /// @param rows number of rows, at most a vector's lanes
    private static void add(float[] exponents, int lane, int rows, int count, float[] sums) {
        FloatVector largest = VectorMath.vector(exponents, lane);
        for (int j = 1; j < count; j++) {
            largest = largest.max(VectorMath.vector(exponents, j * PANEL + lane));
        }
        var used = VectorWidth.FLOATS.indexInRange(0, rows);
        for (int j = 0; j < count; j++) {
            FloatVector share = VectorMath.exp2(
                    VectorMath.vector(exponents, j * PANEL + lane).sub(largest));
            sums[j] += LaneSum.of(VectorWidth.zero().blend(share, used));
        }
    }
}
