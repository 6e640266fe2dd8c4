package io.shadowkv.op.reference;

import io.shadowkv.tensor.Tensor;

/// How much blocks of query rows attend to key blocks, by the mean keys of the blocks.
final class ReferenceBlockScores {
    private ReferenceBlockScores() {}

    static void run(Tensor queries, Tensor means, int blockTokens, int firstToken, double scale, Tensor scores) {
        int queryHeads = queries.extent(1);
        int headDim = queries.extent(2);
        int kvHeads = means.extent(0);
        int firstBlock = firstToken / blockTokens;
        double[] keys = Elements.read(means);
        double[] sums = new double[Math.toIntExact(scores.elements())];
        for (int i = 0; i < queries.extent(0); i++) {
            int block = (firstToken + i) / blockTokens;
            for (int q = 0; q < queryHeads; q++) {
                int head = q / (queryHeads / kvHeads);
                double[] query = Elements.read(queries, ((long) i * queryHeads + q) * headDim, headDim);
                double[] exponents = exponents(query, keys, head * means.extent(1) * headDim, block + 1, scale);
                int at = (head * scores.extent(1) + block - firstBlock) * scores.extent(2);
                for (int j = 0; j <= block; j++) {
                    sums[at + j] += Math.exp(exponents[j]);
                }
            }
        }
        write(sums, firstBlock, scores);
    }

    /// The exponents of a row, relative to the largest.
    private static double[] exponents(double[] query, double[] keys, int from, int count, double scale) {
        double[] exponents = new double[count];
        double largest = Double.NEGATIVE_INFINITY;
        for (int j = 0; j < count; j++) {
            for (int e = 0; e < query.length; e++) {
                exponents[j] += scale * query[e] * keys[from + j * query.length + e];
            }
            largest = Math.max(largest, exponents[j]);
        }
        for (int j = 0; j < count; j++) {
            exponents[j] -= largest;
        }
        return exponents;
    }

    private static void write(double[] sums, int firstBlock, Tensor scores) {
        int width = scores.extent(2);
        for (int row = 0; row < scores.extent(0) * scores.extent(1); row++) {
            int count = firstBlock + row % scores.extent(1) + 1;
            double[] written = java.util.Arrays.copyOfRange(sums, row * width, row * width + count);
            Elements.write(scores, (long) row * width, written);
        }
    }
}
