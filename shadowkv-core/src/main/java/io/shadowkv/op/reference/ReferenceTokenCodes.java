package io.shadowkv.op.reference;

import io.shadowkv.op.IndexedLayer.TokenCodes;
import io.shadowkv.op.host.KeyCodes;
import io.shadowkv.tensor.Tensor;
import java.util.Objects;

/// Token codes written as their formulas, in double; the turn is a product with the whole matrix.
final class ReferenceTokenCodes {
    private ReferenceTokenCodes() {}

    static void means(Tensor keys, int count, Tensor means) {
        int headDim = keys.extent(2);
        Objects.checkFromIndexSize(0, count, keys.extent(1));
        for (int h = 0; h < keys.extent(0); h++) {
            double[] all = Elements.read(keys, (long) h * keys.extent(1) * headDim, count * headDim);
            double[] mean = new double[headDim];
            for (int i = 0; i < all.length; i++) {
                mean[i % headDim] += all[i] / count;
            }
            Elements.write(means, (long) h * headDim, mean);
        }
    }

    static void encode(Tensor keys, int from, int count, Tensor means, Tensor codes, Tensor scales, int to) {
        int headDim = keys.extent(2);
        double[][] matrix = matrix(headDim);
        Objects.checkFromIndexSize(from, count, keys.extent(1));
        Objects.checkFromIndexSize(to, count, scales.extent(1));
        for (int h = 0; h < keys.extent(0); h++) {
            double[] mean = Elements.read(means, (long) h * headDim, headDim);
            for (int t = 0; t < count; t++) {
                double[] key = Elements.read(keys, ((long) h * keys.extent(1) + from + t) * headDim, headDim);
                for (int e = 0; e < headDim; e++) {
                    key[e] -= mean[e];
                }
                encode(turned(matrix, key), codes, scales, h, to + t);
            }
        }
    }

    private static void encode(double[] turned, Tensor codes, Tensor scales, int h, int token) {
        double magnitude = 0;
        for (double element : turned) {
            magnitude += Math.abs(element) / turned.length;
        }
        int[] words = new int[TokenCodes.words(turned.length)];
        double squares = 0;
        double products = 0;
        for (int e = 0; magnitude > 0 && e < turned.length; e++) {
            int code = (int) Math.clamp(Math.floor(turned[e] / (KeyCodes.STEP * magnitude)) + 2, 0, KeyCodes.LARGEST);
            words[e / KeyCodes.WORD_DIMS] |= code << KeyCodes.BITS * (e % KeyCodes.WORD_DIMS);
            squares += turned[e] * turned[e];
            products += turned[e] * (code - KeyCodes.CENTRE);
        }
        for (int w = 0; w < words.length; w++) {
            Elements.writeInt(codes, at(codes, h, token, w), words[w]);
        }
        double scale = magnitude > 0 ? squares / products : 0;
        Elements.write(scales, (long) h * scales.extent(1) + token, new double[] {scale});
    }

    private static long at(Tensor codes, int h, int token, int word) {
        long block = (long) h * codes.extent(1) + token / TokenCodes.BLOCK_TOKENS;
        return (block * codes.extent(2) + word) * TokenCodes.BLOCK_TOKENS + token % TokenCodes.BLOCK_TOKENS;
    }

    /// The keys that the codes of a head's first tokens stand for, turned back, `[count, headDim]`.
    static double[] decode(TokenCodes index, int headDim, int h, int count) {
        double[] keys = new double[count * headDim];
        double[][] matrix = matrix(headDim);
        for (int t = 0; t < count; t++) {
            double scale =
                    Elements.read(index.scales(), (long) h * index.scales().extent(1) + t, 1)[0];
            double[] levels = new double[headDim];
            for (int e = 0; e < headDim; e++) {
                int word = Elements.readInt(index.codes(), at(index.codes(), h, t, e / KeyCodes.WORD_DIMS));
                int code = word >>> KeyCodes.BITS * (e % KeyCodes.WORD_DIMS) & KeyCodes.LARGEST;
                levels[e] = scale * (code - KeyCodes.CENTRE);
            }
            System.arraycopy(turnedBack(matrix, levels), 0, keys, t * headDim, headDim);
        }
        return keys;
    }

    private static double[] turned(double[][] matrix, double[] key) {
        double[] turned = new double[key.length];
        for (int i = 0; i < key.length; i++) {
            for (int j = 0; j < key.length; j++) {
                turned[i] += matrix[i][j] * key[j];
            }
        }
        return turned;
    }

    /// The product with the transposed matrix, which is the inverse.
    private static double[] turnedBack(double[][] matrix, double[] turned) {
        double[] key = new double[turned.length];
        for (int i = 0; i < key.length; i++) {
            for (int j = 0; j < key.length; j++) {
                key[j] += matrix[i][j] * turned[i];
            }
        }
        return key;
    }

    /// The turn's matrix.
    private static double[][] matrix(int headDim) {
        int size = KeyCodes.turnSize(headDim);
        double[][] matrix = new double[headDim][headDim];
        for (int i = 0; i < headDim; i++) {
            for (int j = i - i % size; j < i - i % size + size; j++) {
                boolean isMinus = Integer.bitCount(i % size & j % size) % 2 == 1 ^ KeyCodes.isFlipped(j);
                matrix[i][j] = (isMinus ? -1 : 1) / Math.sqrt(size);
            }
        }
        return matrix;
    }
}
