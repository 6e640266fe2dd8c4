package io.shadowkv.cache.prefill;

import io.shadowkv.cache.prefill.KeyLists.Kept;
import io.shadowkv.op.AttendedRows;
import io.shadowkv.op.AttentionOperations.SelectedKeys;
import io.shadowkv.op.Backend;
import io.shadowkv.op.MemoryScope;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/// Attention to the key blocks that each block of rows selects; see [PrefillSpec.Blocks].
///
/// Blocks are counted from position 0, so what a row block selects depends neither on how many rows
/// are computed at a time nor on other prompts. Behind a prefix that was read before, only the rows of
/// the new text select.
final class BlockAttention implements PromptAttention {
    /// Rows for which lists are made at a time.
    private static final int PIECE_ROWS = 2048;

    private final PrefillSpec.Blocks spec;
    private final HeadShape shape;
    private final Backend backend;
    private final MemoryScope scope;
    private final int end;
    private final Tensor meanKeys;
    private final @Nullable Tensor meanValues;
    private final Tensor freshMeans;
    private final Tensor cosines;
    private final Tensor scores;
    private final KeyLists lists;
    private final long[] computed;
    private final long[] causal;
    private int layerOfMeans = -1;
    private int blocks;

    private BlockAttention(PrefillSpec.Blocks spec, HeadShape shape, Backend backend, int end) {
        this.spec = spec;
        this.shape = shape;
        this.backend = backend;
        this.end = end;
        this.computed = new long[shape.layers()];
        this.causal = new long[shape.layers()];
        this.scope = backend.newScope("sparse prefill of " + end + " tokens", bytes(spec, shape, end));
        try {
            int grid = grid(spec, end);
            int rowBlocks = rowBlocks(spec);
            this.meanKeys = scope.allocate(DType.F32, shape.kvHeads(), grid, shape.headDim());
            this.meanValues =
                    spec.countsDropped() ? scope.allocate(DType.F32, shape.kvHeads(), grid, shape.headDim()) : null;
            this.freshMeans = scope.allocate(DType.F32, shape.kvHeads() * rowBlocks * shape.headDim());
            this.cosines = scope.allocate(DType.F32, shape.kvHeads() * rowBlocks);
            this.scores = scope.allocate(DType.F32, shape.kvHeads() * rowBlocks * grid);
            this.lists = new KeyLists(backend, scope, shape.kvHeads(), spec.blockTokens(), rowBlocks, grid, 1);
        } catch (RuntimeException e) {
            scope.close();
            throw e;
        }
    }

    private static int grid(PrefillSpec.Blocks spec, int end) {
        return Math.ceilDiv(end, spec.blockTokens());
    }

    /// Row blocks of a piece: one more than whole blocks if it begins inside a block.
    private static int rowBlocks(PrefillSpec.Blocks spec) {
        return Math.max(1, PIECE_ROWS / spec.blockTokens()) + 1;
    }

    private static long bytes(PrefillSpec.Blocks spec, HeadShape shape, int end) {
        long grid = grid(spec, end);
        long rowBlocks = rowBlocks(spec);
        long perMeans = grid * shape.headDim() * (spec.countsDropped() ? 2 : 1);
        long perPiece = rowBlocks * (shape.headDim() + 1 + grid);
        return (long) Float.BYTES * shape.kvHeads() * (perMeans + perPiece)
                + KeyLists.bytes(shape.kvHeads(), (int) rowBlocks, (int) grid, 1);
    }

    static PrefillAttention of(PrefillSpec.Blocks spec, HeadShape shape, Backend backend) {
        return new LongTexts(
                spec.minTokens(),
                spec.wholeRowBlocks() * spec.blockTokens() + 1,
                end -> new BlockAttention(spec, shape, backend, end),
                end -> bytes(spec, shape, end),
                backend);
    }

    @Override
    public RowOrder order() {
        return new RowOrder(spec.blockTokens(), 0);
    }

    @Override
    public void observe(int layer, AttendedRows rows, int keyCount, Tensor queries, double scale) {}

    @Override
    public void attend(
            int layer, AttendedRows rows, int keyCount, int firstToken, Tensor queries, double scale, Tensor out) {
        updateMeans(layer, rows, keyCount);
        int block = spec.blockTokens();
        int last = firstToken + queries.extent(0);
        int from = firstToken;
        while (from < last) {
            int to = Math.min(last, (from / block + rowBlocks(spec) - 1) * block);
            Tensor part = queries.slice(from - firstToken, to - from);
            Kept[][] kept = select(part, from, scale);
            count(layer, kept, from, to);
            Tensor values = meanValues;
            SelectedKeys.BlockMeans means = values == null ? null : new SelectedKeys.BlockMeans(meanKeys, values);
            backend.operations()
                    .attention()
                    .prefillSelected(
                            part,
                            rows.keys(),
                            rows.values(),
                            from,
                            lists.upload(kept, means),
                            scale,
                            out.slice(from - firstToken, to - from));
            from = to;
        }
    }

    /// Computes the means of the blocks that have become whole.
    private void updateMeans(int layer, AttendedRows rows, int keyCount) {
        if (layer != layerOfMeans) {
            layerOfMeans = layer;
            blocks = 0;
        }
        int whole = Math.min(keyCount, end) / spec.blockTokens();
        while (blocks < whole) {
            int count = Math.min(rowBlocks(spec), whole - blocks);
            addMeans(rows.keys(), meanKeys, count);
            Tensor values = meanValues;
            if (values != null) {
                addMeans(rows.values(), values, count);
            }
            blocks += count;
        }
    }

    private void addMeans(Tensor source, Tensor means, int count) {
        var shadow = backend.operations().shadow();
        int heads = shape.kvHeads();
        Tensor fresh = freshMeans.slice(0, heads * count * shape.headDim()).reshape(heads, count, shape.headDim());
        Tensor unused = cosines.slice(0, heads * count).reshape(heads, count);
        shadow.landmarks(source, blocks, spec.blockTokens(), fresh, unused);
        shadow.copyRows(fresh, 0, count, means, blocks);
    }

    /// The key blocks of each key-value head and row block.
    private Kept[][] select(Tensor queries, int from, double scale) {
        int block = spec.blockTokens();
        int first = from / block;
        int rowBlocks = (from + queries.extent(0) - 1) / block - first + 1;
        int wholeFrom = (end - 1) / block - spec.wholeRowBlocks() + 1;
        float[] all = first < wholeFrom ? scores(queries, from, Math.min(rowBlocks, wholeFrom - first), scale) : null;
        Kept[][] kept = new Kept[shape.kvHeads()][rowBlocks];
        for (int h = 0; h < kept.length; h++) {
            for (int b = 0; b < rowBlocks; b++) {
                int own = first + b;
                int scored = Math.min(rowBlocks, wholeFrom - first);
                kept[h][b] = Kept.blocks(
                        all == null || own >= wholeFrom
                                ? IntStream.rangeClosed(0, own)
                                        .map(j -> j * block)
                                        .toArray()
                                : select(all, (h * scored + b) * (first + scored), own));
            }
        }
        return kept;
    }

    /// Scores of the first row blocks of a piece, `[kvHeads, row blocks, first block + row blocks]`.
    private float[] scores(Tensor queries, int from, int rowBlocks, double scale) {
        int block = spec.blockTokens();
        int width = from / block + rowBlocks;
        int rows = Math.min(queries.extent(0), width * block - from);
        Tensor target = scores.slice(0, shape.kvHeads() * rowBlocks * width).reshape(shape.kvHeads(), rowBlocks, width);
        backend.operations().attention().scoreBlocks(queries.slice(0, rows), meanKeys, block, from, scale, target);
        return backend.download(target);
    }

    private int[] select(float[] all, int at, int own) {
        float highest = 0;
        for (int j = 0; j <= own; j++) {
            highest = Math.max(highest, all[at + j]);
        }
        int[] starts = new int[own + 1];
        int count = 0;
        for (int j = 0; j <= own; j++) {
            boolean isFixed = j < spec.firstBlocks() || j > own - spec.nearestBlocks();
            // A score that is not a number must not drop a block.
            if (isFixed || !(all[at + j] < spec.threshold() * highest)) {
                starts[count++] = j * spec.blockTokens();
            }
        }
        return Arrays.copyOf(starts, count);
    }

    private void count(int layer, Kept[][] kept, int from, int to) {
        long block = spec.blockTokens();
        for (int b = 0; b < kept[0].length; b++) {
            long own = from / block + b;
            long low = Math.max(from, own * block);
            long high = Math.min(to, (own + 1) * block);
            long diagonal = triangle(high - own * block) - triangle(low - own * block);
            for (Kept[] head : kept) {
                long earlier = head[b].starts().length - 1L;
                computed[layer] += shape.groupSize() * ((high - low) * earlier * block + diagonal);
                causal[layer] += shape.groupSize() * ((high - low) * own * block + diagonal);
            }
        }
    }

    private static long triangle(long n) {
        return n * (n + 1) / 2;
    }

    @Override
    public List<LayerDensity> densities() {
        return IntStream.range(0, shape.layers())
                .mapToObj(layer -> new LayerDensity(computed[layer], causal[layer]))
                .toList();
    }

    @Override
    public void close() {
        scope.close();
    }
}
