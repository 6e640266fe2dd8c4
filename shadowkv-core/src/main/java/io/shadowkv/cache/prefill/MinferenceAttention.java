package io.shadowkv.cache.prefill;

import io.shadowkv.cache.prefill.HeadPatterns.Pattern;
import io.shadowkv.cache.prefill.KeyLists.Kept;
import io.shadowkv.op.AttendedRows;
import io.shadowkv.op.Backend;
import io.shadowkv.op.MemoryScope;
import io.shadowkv.tensor.Tensor;
import java.util.List;
import java.util.stream.IntStream;

/// MInference's attention: each query head reads the keys that its pattern and the last queries of the
/// text select. The selection is made on the host, once a layer, when all keys are there.
final class MinferenceAttention implements PromptAttention {
    /// Tokens of a block of rows and of a block of keys.
    static final int BLOCK = 64;

    /// Number of last rows that the selection is made from.
    static final int OBSERVED = 64;

    /// Shortest text for which a selection is made.
    static final int LEAST_ROWS = 256;

    /// Rows for which lists are made at a time.
    private static final int PIECE_ROWS = 2048;

    private final PrefillSpec.MInference spec;
    private final HeadShape shape;
    private final Backend backend;
    private final MemoryScope scope;
    private final KeyLists lists;
    private final RowBlocks[] selected;
    private final long[] computed;
    private final long[] causal;
    private final KeptMass mass;

    /// What one head reads.
    private interface RowBlocks {
        /// @param queries the rows of the block, `[rows, queryHeads, headDim]`
        Kept of(int rowBlock, int firstToken, float[] queries, int from, int to);
    }

    private MinferenceAttention(PrefillSpec.MInference spec, HeadShape shape, Backend backend, int end, KeptMass mass) {
        this.spec = spec;
        this.mass = mass;
        this.shape = shape;
        this.backend = backend;
        this.selected = new RowBlocks[shape.queryHeads()];
        this.computed = new long[shape.layers()];
        this.causal = new long[shape.layers()];
        this.scope = backend.newScope("sparse prefill of " + end + " tokens", bytes(spec, shape, end));
        try {
            this.lists = new KeyLists(
                    backend,
                    scope,
                    shape.queryHeads(),
                    BLOCK,
                    PIECE_ROWS / BLOCK + 1,
                    mostBlocks(end),
                    mostColumns(spec, shape, end));
        } catch (RuntimeException e) {
            scope.close();
            throw e;
        }
    }

    /// Ranges do not overlap, so there are at most as many as fit, and one that begins before an edge.
    private static int mostBlocks(int end) {
        return end / BLOCK + 2;
    }

    private static int mostColumns(PrefillSpec.MInference spec, HeadShape shape, int end) {
        int most = 30;
        for (int layer = 0; layer < shape.layers(); layer++) {
            for (int head = 0; head < shape.queryHeads(); head++) {
                most = Math.max(most, spec.patterns().of(layer, head).vertical());
            }
        }
        return Math.min(end, most);
    }

    private static long bytes(PrefillSpec.MInference spec, HeadShape shape, int end) {
        return KeyLists.bytes(
                shape.queryHeads(), PIECE_ROWS / BLOCK + 1, mostBlocks(end), mostColumns(spec, shape, end));
    }

    /// @param measuredRows number of rows of a text whose kept mass is measured
    static PrefillAttention of(PrefillSpec.MInference spec, int measuredRows, HeadShape shape, Backend backend) {
        return new LongTexts(
                spec.minTokens(),
                LEAST_ROWS,
                (before, tokens) -> new MinferenceAttention(
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
        return new RowOrder(BLOCK, OBSERVED);
    }

    @Override
    public void observe(int layer, AttendedRows rows, int keyCount, Tensor queries, double scale) {
        float[] last = backend.download(queries);
        double factor = spec.isScaled() ? scale : 1;
        for (int h = 0; h < shape.kvHeads(); h++) {
            float[] keys = backend.download(rows.keys().row(h).slice(0, keyCount));
            for (int g = 0; g < shape.groupSize(); g++) {
                int head = h * shape.groupSize() + g;
                selected[head] = select(spec.patterns().of(layer, head), head, last, keys, keyCount, factor);
            }
        }
    }

    private RowBlocks select(Pattern pattern, int head, float[] last, float[] keys, int keyCount, double factor) {
        int headDim = shape.headDim();
        return switch (pattern.kind()) {
            case VERTICAL_AND_SLASH -> {
                LastQueries queries = new LastQueries(last, shape.queryHeads(), head, headDim, factor);
                LastQueries.Sums sums = queries.attend(keys, keyCount);
                VerticalSlash chosen = VerticalSlash.choose(pattern, sums.columns(), sums.distances());
                yield (rowBlock, firstToken, queriesOfPiece, from, to) -> chosen.of(rowBlock);
            }
            case BLOCK_SPARSE -> {
                PooledBlocks pooled = new PooledBlocks(keys, keyCount, headDim);
                yield (rowBlock, firstToken, queriesOfPiece, from, to) -> {
                    float[] sum = new float[headDim];
                    for (int i = from; i < to; i++) {
                        int at = ((i - firstToken) * shape.queryHeads() + head) * headDim;
                        for (int e = 0; e < headDim; e++) {
                            sum[e] += queriesOfPiece[at + e];
                        }
                    }
                    return pooled.of(rowBlock, sum);
                };
            }
            case STREAM_LLM -> (rowBlock, firstToken, queriesOfPiece, from, to) -> band(pattern, rowBlock);
        };
    }

    /// The key blocks that hold the first and the nearest keys; the band hides the others in them.
    static Kept band(Pattern pattern, int rowBlock) {
        int firstBlocks = Math.ceilDiv(pattern.vertical(), BLOCK);
        int nearest = Math.max(1, pattern.slash());
        int nearestFrom = Math.max(0, rowBlock * BLOCK - nearest + 1) / BLOCK;
        int[] starts = IntStream.rangeClosed(0, rowBlock)
                .filter(j -> j < firstBlocks || j >= nearestFrom)
                .map(j -> j * BLOCK)
                .toArray();
        return new Kept(starts, new int[0], pattern.vertical(), nearest);
    }

    private boolean needsQueries(int layer) {
        return IntStream.range(0, shape.queryHeads())
                .anyMatch(head -> spec.patterns().of(layer, head).kind() == HeadPatterns.Kind.BLOCK_SPARSE);
    }

    @Override
    public void attend(
            int layer, AttendedRows rows, int keyCount, int firstToken, Tensor queries, double scale, Tensor out) {
        int last = firstToken + queries.extent(0);
        int from = firstToken;
        while (from < last) {
            int to = Math.min(last, (from / BLOCK + PIECE_ROWS / BLOCK) * BLOCK);
            Tensor part = queries.slice(from - firstToken, to - from);
            float[] host = needsQueries(layer) ? backend.download(part) : new float[0];
            Kept[][] kept = new Kept[shape.queryHeads()][(to - 1) / BLOCK - from / BLOCK + 1];
            for (int head = 0; head < kept.length; head++) {
                for (int b = 0; b < kept[head].length; b++) {
                    int block = from / BLOCK + b;
                    int low = Math.max(from, block * BLOCK);
                    int high = Math.min(to, (block + 1) * BLOCK);
                    kept[head][b] = selected[head].of(block, from, host, low, high);
                    count(layer, kept[head][b], low, high);
                }
            }
            int firstBlock = from / BLOCK;
            mass.measure(
                    layer,
                    rows,
                    from,
                    part,
                    scale,
                    BLOCK,
                    (head, position) -> kept[head][position / BLOCK - firstBlock]);
            backend.operations()
                    .attention()
                    .prefillSelected(
                            part,
                            rows.keys(),
                            rows.values(),
                            from,
                            lists.upload(kept),
                            scale,
                            out.slice(from - firstToken, to - from));
            from = to;
        }
    }

    private void count(int layer, Kept kept, int low, int high) {
        for (int row = low; row < high; row++) {
            causal[layer] += row + 1;
            computed[layer] += kept.keys(row, BLOCK);
        }
    }

    @Override
    public List<LayerDensity> densities() {
        return IntStream.range(0, shape.layers())
                .mapToObj(layer -> new LayerDensity(computed[layer], causal[layer], mass.mean(layer)))
                .toList();
    }

    @Override
    public void close() {
        scope.close();
    }
}
