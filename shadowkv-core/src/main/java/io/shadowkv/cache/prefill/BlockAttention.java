package io.shadowkv.cache.prefill;

import io.shadowkv.cache.prefill.KeyLists.Kept;
import io.shadowkv.op.AttendedRows;
import io.shadowkv.op.AttentionOperations.BlockLists;
import io.shadowkv.op.AttentionOperations.BlockRule;
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
/// the new text select. The selection is made by the backend and stays in its memory.
final class BlockAttention implements PromptAttention {
    /// Rows for which lists are made at a time: the rows that a GPU computes at a time, so that one
    /// launch occupies it.
    private static final int PIECE_ROWS = 8192;

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
    private final Tensor starts;
    private final Tensor counts;
    /// See [BlockLists#work], for each layer.
    private final Tensor work;
    private final BlockRule rule;
    private final KeptMass mass;
    /// Pairs of a row and a key of its own block, and of a row and a key of an earlier block, which one
    /// head computes if it keeps everything; for each layer.
    private final long[] diagonal;
    private final long[] earlier;
    private int layerOfMeans = -1;
    private int blocks;

    private BlockAttention(PrefillSpec.Blocks spec, HeadShape shape, Backend backend, int end, KeptMass mass) {
        this.spec = spec;
        this.mass = mass;
        this.shape = shape;
        this.backend = backend;
        this.end = end;
        this.rule = spec.rule();
        this.diagonal = new long[shape.layers()];
        this.earlier = new long[shape.layers()];
        this.scope = backend.newScope("sparse prefill of " + end + " tokens", bytes(spec, shape, end));
        try {
            int grid = grid(spec, end);
            int rowBlocks = rowBlocks(spec, end);
            this.meanKeys = scope.allocate(DType.F32, shape.kvHeads(), grid, shape.headDim());
            this.meanValues =
                    spec.countsDropped() ? scope.allocate(DType.F32, shape.kvHeads(), grid, shape.headDim()) : null;
            this.freshMeans = scope.allocate(DType.F32, shape.kvHeads() * rowBlocks * shape.headDim());
            this.cosines = scope.allocate(DType.F32, shape.kvHeads() * rowBlocks);
            this.scores = scope.allocate(DType.F32, shape.kvHeads() * rowBlocks * grid);
            this.starts = scope.allocate(DType.I32, shape.kvHeads() * rowBlocks * grid);
            this.counts = scope.allocate(DType.I32, shape.kvHeads() * rowBlocks);
            this.work = scope.allocate(DType.I64, shape.layers());
        } catch (RuntimeException e) {
            scope.close();
            throw e;
        }
    }

    private static int grid(PrefillSpec.Blocks spec, int end) {
        return Math.ceilDiv(end, spec.blockTokens());
    }

    /// Row blocks of a piece: one more than whole blocks if it begins inside a block.
    private static int rowBlocks(PrefillSpec.Blocks spec, int end) {
        return Math.clamp(PIECE_ROWS / spec.blockTokens(), 1, grid(spec, end)) + 1;
    }

    private static long bytes(PrefillSpec.Blocks spec, HeadShape shape, int end) {
        long grid = grid(spec, end);
        long rowBlocks = rowBlocks(spec, end);
        long means = Float.BYTES * grid * shape.headDim() * (spec.countsDropped() ? 2 : 1);
        long piece = rowBlocks * Float.BYTES * (shape.headDim() + 1 + grid);
        long lists = rowBlocks * Integer.BYTES * (1 + grid);
        return shape.kvHeads() * (means + piece + lists) + (long) Long.BYTES * shape.layers();
    }

    /// @param measuredRows number of rows of a text whose kept mass is measured
    static PrefillAttention of(PrefillSpec.Blocks spec, int measuredRows, HeadShape shape, Backend backend) {
        return new LongTexts(
                spec.minTokens(),
                spec.wholeRowBlocks() * spec.blockTokens() + 1,
                (before, tokens) -> new BlockAttention(
                        spec,
                        shape,
                        backend,
                        before + tokens,
                        new KeptMass(shape, backend, measuredRows, before, tokens)),
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
            int to = Math.min(last, (from / block + rowBlocks(spec, end) - 1) * block);
            Tensor part = queries.slice(from - firstToken, to - from);
            SelectedKeys selected = select(layer, part, from, scale);
            count(layer, from, to);
            measure(layer, rows, from, part, selected, scale);
            backend.operations()
                    .attention()
                    .prefillSelected(
                            part,
                            rows.keys(),
                            rows.values(),
                            from,
                            selected,
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
            int count = Math.min(rowBlocks(spec, end), whole - blocks);
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
    private SelectedKeys select(int layer, Tensor queries, int from, double scale) {
        int block = spec.blockTokens();
        int heads = shape.kvHeads();
        int first = from / block;
        int rowBlocks = (from + queries.extent(0) - 1) / block - first + 1;
        int wholeFrom = (end - 1) / block - spec.wholeRowBlocks() + 1;
        int width = first + rowBlocks;
        var lists = new BlockLists(
                block,
                starts.slice(0, heads * rowBlocks * width).reshape(heads, rowBlocks, width),
                counts.slice(0, heads * rowBlocks).reshape(heads, rowBlocks),
                work.slice(layer, 1));
        Tensor scored = first < wholeFrom ? scores(queries, from, Math.min(rowBlocks, wholeFrom - first), scale) : null;
        backend.operations().attention().selectBlocks(scored, rule, from, queries.extent(0), lists);
        Tensor values = meanValues;
        SelectedKeys.BlockMeans means = values == null ? null : new SelectedKeys.BlockMeans(meanKeys, values);
        return new SelectedKeys(block, lists.starts(), lists.counts(), null, null, means);
    }

    /// Scores of the first row blocks of a piece, `[kvHeads, row blocks, first block + row blocks]`.
    private Tensor scores(Tensor queries, int from, int rowBlocks, double scale) {
        int block = spec.blockTokens();
        int width = from / block + rowBlocks;
        int rows = Math.min(queries.extent(0), width * block - from);
        Tensor target = scores.slice(0, shape.kvHeads() * rowBlocks * width).reshape(shape.kvHeads(), rowBlocks, width);
        backend.operations().attention().scoreBlocks(queries.slice(0, rows), meanKeys, block, from, scale, target);
        return target;
    }

    /// Downloads the lists if a sampled row is among the rows.
    private void measure(int layer, AttendedRows rows, int from, Tensor queries, SelectedKeys selected, double scale) {
        if (mass.sampled(from, from + queries.extent(0)).length == 0) {
            return;
        }
        int[] keptStarts = backend.downloadInts(selected.blockStarts());
        int[] keptCounts = backend.downloadInts(selected.blockCounts());
        int width = selected.blockStarts().extent(2);
        int block = spec.blockTokens();
        mass.measure(layer, rows, from, queries, scale, block, (head, position) -> {
            int list = head / shape.groupSize() * selected.queryBlocks() + position / block - from / block;
            return Kept.blocks(Arrays.copyOfRange(keptStarts, list * width, list * width + keptCounts[list]));
        });
    }

    private void count(int layer, int from, int to) {
        long block = spec.blockTokens();
        for (long own = from / block; own * block < to; own++) {
            long low = Math.max(from, own * block);
            long high = Math.min(to, (own + 1) * block);
            diagonal[layer] += triangle(high - own * block) - triangle(low - own * block);
            earlier[layer] += (high - low) * own * block;
        }
    }

    private static long triangle(long n) {
        return n * (n + 1) / 2;
    }

    @Override
    public List<LayerDensity> densities() {
        long[] kept = backend.downloadLongs(work);
        return IntStream.range(0, shape.layers())
                .mapToObj(layer -> new LayerDensity(
                        shape.groupSize() * (kept[layer] * spec.blockTokens() + shape.kvHeads() * diagonal[layer]),
                        shape.queryHeads() * (earlier[layer] + diagonal[layer]),
                        mass.mean(layer)))
                .toList();
    }

    @Override
    public void close() {
        scope.close();
    }
}
