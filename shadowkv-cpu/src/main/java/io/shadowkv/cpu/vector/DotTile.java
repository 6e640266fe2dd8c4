package io.shadowkv.cpu.vector;

import jdk.incubator.vector.FloatVector;

/// Dot products of a few queries with many rows, and weighted sums of rows for each query, in float
/// arrays that fit the first-level cache. Queries and rows are padded with zeros to complete pairs
/// of vectors, so that there are no tails.
///
/// Four queries share each read of a row. The remaining queries are processed one by one, four rows
/// or vectors at a time.
public final class DotTile {
    private static final int LANES = VectorWidth.LANES;
    private static final int QUAD = LaneSum.GROUP;

    private final float[] queries;
    private final int queryStride;
    private final float[] rows;
    private final int rowStride;
    private final float[] scores;
    private final int scoreStride;
    /// The vectors whose lanes add up to dot products; the four vectors of each group are adjacent.
    private float[] lanes = new float[0];

    /// @param queries `[queries, queryStride]`; [#addDots] reads them, [#addWeighted] adds to them
    /// @param rows `[rows, rowStride]`
    /// @param scores `[queries, scoreStride]`; [#addDots] adds to them, [#addWeighted] uses them as
    ///     weights
    public DotTile(float[] queries, int queryStride, float[] rows, int rowStride, float[] scores, int scoreStride) {
        this.queries = queries;
        this.queryStride = queryStride;
        this.rows = rows;
        this.rowStride = rowStride;
        this.scores = scores;
        this.scoreStride = scoreStride;
    }

    /// Padded length of a row of `elements`: complete pairs of vectors.
    public static int padded(int elements) {
        int pair = 2 * LANES;
        return Math.ceilDiv(elements, pair) * pair;
    }

    /// `scores[scoreAt + q, r] += queries[q, queryAt..] · rows[r]` over `depth` elements, a
    /// multiple of the number of lanes.
    public void addDots(int queryAt, int queryCount, int rowCount, int depth, int scoreAt) {
        int groups = queryCount < QUAD ? Math.ceilDiv(rowCount, QUAD) : rowCount;
        if (lanes.length < groups * QUAD * LANES) {
            lanes = new float[groups * QUAD * LANES];
        }
        int q = 0;
        for (; q <= queryCount - QUAD; q += QUAD) {
            for (int r = 0; r < rowCount; r += 2) {
                dotQuad(queryAt + q * queryStride, r, Math.min(r + 1, rowCount - 1), depth);
            }
            LaneSum.fours(lanes, rowCount);
            for (int i = 0; i < QUAD; i++) {
                int score = scoreAt + (q + i) * scoreStride;
                for (int r = 0; r < rowCount; r++) {
                    scores[score + r] += lanes[LaneSum.place(r, i)];
                }
            }
        }
        for (; q < queryCount; q++) {
            for (int r = 0; r < rowCount; r += QUAD) {
                dotSingle(queryAt + q * queryStride, r, rowCount - 1, depth);
            }
            LaneSum.fours(lanes, Math.ceilDiv(rowCount, QUAD));
            int score = scoreAt + q * scoreStride;
            for (int r = 0; r < rowCount; r++) {
                scores[score + r] += lanes[LaneSum.place(r / QUAD, r % QUAD)];
            }
        }
    }

    /// Multiplies four queries with two rows; the second row may equal the first. Stores the four
    /// vectors of each row in `lanes`.
    private void dotQuad(int query, int first, int second, int depth) {
        float[] x = queries;
        float[] y = rows;
        int a = first * rowStride;
        int b = second * rowStride;
        FloatVector a0 = VectorWidth.zero();
        FloatVector b0 = VectorWidth.zero();
        FloatVector a1 = VectorWidth.zero();
        FloatVector b1 = VectorWidth.zero();
        FloatVector a2 = VectorWidth.zero();
        FloatVector b2 = VectorWidth.zero();
        FloatVector a3 = VectorWidth.zero();
        FloatVector b3 = VectorWidth.zero();
        for (int k = 0; k < depth; k += LANES) {
            FloatVector rowA = VectorMath.vector(y, a + k);
            FloatVector rowB = VectorMath.vector(y, b + k);
            FloatVector x0 = VectorMath.vector(x, query + k);
            a0 = x0.fma(rowA, a0);
            b0 = x0.fma(rowB, b0);
            FloatVector x1 = VectorMath.vector(x, query + queryStride + k);
            a1 = x1.fma(rowA, a1);
            b1 = x1.fma(rowB, b1);
            FloatVector x2 = VectorMath.vector(x, query + 2 * queryStride + k);
            a2 = x2.fma(rowA, a2);
            b2 = x2.fma(rowB, b2);
            FloatVector x3 = VectorMath.vector(x, query + 3 * queryStride + k);
            a3 = x3.fma(rowA, a3);
            b3 = x3.fma(rowB, b3);
        }
        int at = first * QUAD * LANES;
        a0.intoArray(lanes, at);
        a1.intoArray(lanes, at + LANES);
        a2.intoArray(lanes, at + 2 * LANES);
        a3.intoArray(lanes, at + 3 * LANES);
        at = second * QUAD * LANES;
        b0.intoArray(lanes, at);
        b1.intoArray(lanes, at + LANES);
        b2.intoArray(lanes, at + 2 * LANES);
        b3.intoArray(lanes, at + 3 * LANES);
    }

    /// Multiplies one query with four rows; beyond `last`, that row is repeated. Stores their four
    /// vectors in `lanes`.
    private void dotSingle(int query, int first, int last, int depth) {
        float[] x = queries;
        float[] y = rows;
        int a = first * rowStride;
        int b = Math.min(first + 1, last) * rowStride;
        int c = Math.min(first + 2, last) * rowStride;
        int d = Math.min(first + 3, last) * rowStride;
        FloatVector sumA = VectorWidth.zero();
        FloatVector sumB = VectorWidth.zero();
        FloatVector sumC = VectorWidth.zero();
        FloatVector sumD = VectorWidth.zero();
        for (int k = 0; k < depth; k += LANES) {
            FloatVector part = VectorMath.vector(x, query + k);
            sumA = part.fma(VectorMath.vector(y, a + k), sumA);
            sumB = part.fma(VectorMath.vector(y, b + k), sumB);
            sumC = part.fma(VectorMath.vector(y, c + k), sumC);
            sumD = part.fma(VectorMath.vector(y, d + k), sumD);
        }
        int at = first * LANES;
        sumA.intoArray(lanes, at);
        sumB.intoArray(lanes, at + LANES);
        sumC.intoArray(lanes, at + 2 * LANES);
        sumD.intoArray(lanes, at + 3 * LANES);
    }

    /// `queries[q] += sum over r of scores[scoreAt + q, r] * rows[r]` over `width` elements, a multiple of two
    /// vectors.
    public void addWeighted(int queryCount, int rowCount, int width, int scoreAt) {
        for (int e = 0; e < width; e += 2 * LANES) {
            int q = 0;
            for (; q <= queryCount - QUAD; q += QUAD) {
                weighQuad(q * queryStride + e, rowCount, e, scoreAt + q * scoreStride);
            }
            for (; q < queryCount; q++) {
                weighSingle(q * queryStride + e, rowCount, e, scoreAt + q * scoreStride);
            }
        }
    }

    private void weighQuad(int query, int rowCount, int at, int score) {
        float[] sums = queries;
        float[] weights = scores;
        FloatVector a0 = VectorMath.vector(sums, query);
        FloatVector b0 = VectorMath.vector(sums, query + LANES);
        FloatVector a1 = VectorMath.vector(sums, query + queryStride);
        FloatVector b1 = VectorMath.vector(sums, query + queryStride + LANES);
        FloatVector a2 = VectorMath.vector(sums, query + 2 * queryStride);
        FloatVector b2 = VectorMath.vector(sums, query + 2 * queryStride + LANES);
        FloatVector a3 = VectorMath.vector(sums, query + 3 * queryStride);
        FloatVector b3 = VectorMath.vector(sums, query + 3 * queryStride + LANES);
        for (int r = 0; r < rowCount; r++) {
            FloatVector x = VectorMath.vector(rows, at + r * rowStride);
            FloatVector y = VectorMath.vector(rows, at + r * rowStride + LANES);
            FloatVector w0 = VectorWidth.floats(weights[score + r]);
            a0 = x.fma(w0, a0);
            b0 = y.fma(w0, b0);
            FloatVector w1 = VectorWidth.floats(weights[score + scoreStride + r]);
            a1 = x.fma(w1, a1);
            b1 = y.fma(w1, b1);
            FloatVector w2 = VectorWidth.floats(weights[score + 2 * scoreStride + r]);
            a2 = x.fma(w2, a2);
            b2 = y.fma(w2, b2);
            FloatVector w3 = VectorWidth.floats(weights[score + 3 * scoreStride + r]);
            a3 = x.fma(w3, a3);
            b3 = y.fma(w3, b3);
        }
        a0.intoArray(sums, query);
        b0.intoArray(sums, query + LANES);
        a1.intoArray(sums, query + queryStride);
        b1.intoArray(sums, query + queryStride + LANES);
        a2.intoArray(sums, query + 2 * queryStride);
        b2.intoArray(sums, query + 2 * queryStride + LANES);
        a3.intoArray(sums, query + 3 * queryStride);
        b3.intoArray(sums, query + 3 * queryStride + LANES);
    }

    /// Sums even and odd rows separately, so that there are four independent sums.
    private void weighSingle(int query, int rowCount, int at, int score) {
        float[] y = rows;
        FloatVector a = VectorMath.vector(queries, query);
        FloatVector b = VectorMath.vector(queries, query + LANES);
        FloatVector c = VectorWidth.zero();
        FloatVector d = VectorWidth.zero();
        int r = 0;
        for (; r < rowCount - 1; r += 2) {
            FloatVector even = VectorWidth.floats(scores[score + r]);
            FloatVector odd = VectorWidth.floats(scores[score + r + 1]);
            int row = at + r * rowStride;
            a = even.fma(VectorMath.vector(y, row), a);
            b = even.fma(VectorMath.vector(y, row + LANES), b);
            c = odd.fma(VectorMath.vector(y, row + rowStride), c);
            d = odd.fma(VectorMath.vector(y, row + rowStride + LANES), d);
        }
        if (r < rowCount) {
            FloatVector even = VectorWidth.floats(scores[score + r]);
            a = even.fma(VectorMath.vector(y, at + r * rowStride), a);
            b = even.fma(VectorMath.vector(y, at + r * rowStride + LANES), b);
        }
        a.add(c).intoArray(queries, query);
        b.add(d).intoArray(queries, query + LANES);
    }
}
