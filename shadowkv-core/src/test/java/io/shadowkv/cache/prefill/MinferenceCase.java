package io.shadowkv.cache.prefill;

import static org.assertj.core.api.Assertions.assertThat;

import io.shadowkv.Fixtures;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.util.List;
import java.util.stream.IntStream;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// A case of `testdata/golden-minference.tar.xz`: queries, keys and values from its formula, and what MInference
/// selects and computes.
///
/// @param queries `[queryHeads][tokens * headDim]`
/// @param keys `[kvHeads][tokens * headDim]`
/// @param values the same shape
record MinferenceCase(JsonNode json, int tokens, int headDim, float[][] queries, float[][] keys, float[][] values) {
    static final List<String> NAMES = List.of("n48-hd64", "n512-hd64", "n1000-hd128", "n2048-hd64");

    static MinferenceCase read(String name) {
        JsonNode json;
        try {
            json = JsonMapper.shared()
                    .readTree(Files.readString(Fixtures.golden("minference").resolve("minference/" + name + ".json")));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        int n = json.get("n").asInt();
        int d = json.get("hd").asInt();
        int queryHeads = json.get("qh").asInt();
        int kvHeads = json.get("kvh").asInt();
        long seed = json.get("seed").asLong();
        int[][] code = rows(ints(seed + 21, kvHeads * n * d, -12, 12), kvHeads);
        int[][] u = rows(ints(seed + 22, kvHeads * d, -10, 10), kvHeads);
        int[][] vertical = rows(ints(seed + 23, kvHeads * 9, 40, n - 1), kvHeads);
        int[][] k = IntStream.range(0, kvHeads).mapToObj(h -> code[h].clone()).toArray(int[][]::new);
        for (int h = 0; h < kvHeads; h++) {
            for (int j : vertical[h]) {
                for (int e = 0; e < d; e++) {
                    k[h][j * d + e] += 2 * u[h][e];
                }
            }
        }
        int[][] q = rows(ints(seed + 24, queryHeads * n * d, -9, 9), queryHeads);
        for (int h = 0; h < queryHeads; h++) {
            int kv = h / (queryHeads / kvHeads);
            for (int at = 0; at < n * d; at++) {
                q[h][at] += Math.floorDiv(u[kv][at % d], 1 + h % 3);
            }
            for (int m = 0; m < 2; m++) {
                int s = Math.min(json.get("planted_slashes").get(m).asInt() + 11 * h, n - 1);
                for (int at = s * d; at < n * d; at++) {
                    q[h][at] += Math.floorDiv(code[kv][at - s * d], 2 + m);
                }
            }
        }
        int[][] v = rows(ints(seed + 25, kvHeads * n * d, -7, 7), kvHeads);
        assertThat(sumOfSizes(q))
                .isEqualTo(json.get("checksums").get("sum_abs_q_int").asLong());
        assertThat(sumOfSizes(k))
                .isEqualTo(json.get("checksums").get("sum_abs_k_int").asLong());
        return new MinferenceCase(json, n, d, scaled(q, 32), scaled(k, 32), scaled(v, 8));
    }

    List<JsonNode> sizes() {
        return json.get("sizes").values().stream().toList();
    }

    int groupSize() {
        return queries.length / keys.length;
    }

    static HeadPatterns.Pattern pattern(JsonNode size) {
        return new HeadPatterns.Pattern(
                HeadPatterns.Kind.VERTICAL_AND_SLASH,
                size.get("vertical_size").asInt(),
                size.get("slash_size").asInt());
    }

    static int[] list(JsonNode numbers) {
        return numbers.values().stream().mapToInt(JsonNode::asInt).toArray();
    }

    private static long sumOfSizes(int[][] rows) {
        return IntStream.range(0, rows.length)
                .flatMap(h -> IntStream.of(rows[h]))
                .mapToLong(x -> Math.abs(Math.clamp(x, -127, 127)))
                .sum();
    }

    private static float[][] scaled(int[][] rows, int divisor) {
        float[][] scaled = new float[rows.length][rows[0].length];
        for (int h = 0; h < rows.length; h++) {
            for (int i = 0; i < rows[h].length; i++) {
                scaled[h][i] = Math.clamp(rows[h][i], -127, 127) / (float) divisor;
            }
        }
        return scaled;
    }

    private static int[][] rows(int[] all, int count) {
        int width = all.length / count;
        return IntStream.range(0, count)
                .mapToObj(h -> java.util.Arrays.copyOfRange(all, h * width, (h + 1) * width))
                .toArray(int[][]::new);
    }

    private static int[] ints(long seed, int count, int low, int high) {
        int[] values = new int[count];
        for (int i = 0; i < count; i++) {
            long z = seed + (i + 1) * 0x9E3779B97F4A7C15L;
            z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
            z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
            values[i] = low + (int) (((z ^ (z >>> 31)) >>> 33) % (high - low + 1));
        }
        return values;
    }
}
