package io.shadowkv.cache.shadow;

import io.shadowkv.Fixtures;
import io.shadowkv.checkpoint.ModelConfig;
import io.shadowkv.checkpoint.Safetensors;
import io.shadowkv.tensor.Floats;
import io.shadowkv.tensor.Tensor;
import java.lang.foreign.Arena;
import java.nio.file.Path;

/// One context of the ShadowKV goldens: keys and values made of integers by the archive's recipe.
///
/// @param plainKeys [tokens, kvHeads · headDim], before RoPE
/// @param values [tokens, kvHeads · headDim]
record GoldenCase(
        Path folder, ModelConfig facts, int tokens, int kvHeads, int headDim, float[] plainKeys, float[] values) {
    static GoldenCase read(String name) {
        Path folder = Fixtures.golden("shadowkv").resolve("shadowkv").resolve(name);
        ModelConfig facts = ModelConfig.read(folder.resolve("case.json"));
        int tokens = facts.integer("n");
        int heads = facts.integer("kv_heads");
        int headDim = facts.integer("head_dim");
        Recipe recipe = new Recipe(facts.integer("seed"), tokens, heads * headDim);
        return new GoldenCase(folder, facts, tokens, heads, headDim, recipe.keys(), recipe.values());
    }

    int groupSize() {
        return facts.integer("groups");
    }

    int chunk() {
        return facts.integer("chunk");
    }

    Safetensors open(String file, Arena arena) {
        return Safetensors.open(folder.resolve(file), arena);
    }

    static int[] ints(Tensor tensor) {
        return tensor.segment().toArray(java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED);
    }

    static float[] floats(Tensor tensor) {
        return Floats.toArray(tensor);
    }

    /// The archive's generator (its README).
    private record Recipe(long seed, int tokens, int width) {
        private static final int RANK = 24;

        float[] keys() {
            int[] slow = ints(seed + 1, Math.ceilDiv(tokens, 16) * RANK, -3, 3);
            int[] fast = ints(seed + 2, tokens * RANK, -1, 1);
            int[] directions = ints(seed + 3, RANK * width, -3, 3);
            int[] noise = ints(seed + 4, tokens * width, -4, 4);
            int[] strange = ints(seed + 5, tokens, 0, 96);
            float[] keys = new float[tokens * width];
            for (int t = 0; t < tokens; t++) {
                for (int c = 0; c < width; c++) {
                    int sum = noise[t * width + c];
                    for (int k = 0; k < RANK; k++) {
                        sum += (slow[t / 16 * RANK + k] + fast[t * RANK + k]) * directions[k * width + c];
                    }
                    sum = Math.clamp(sum, -127, 127);
                    keys[t * width + c] =
                            strange[t] == 0 ? one(seed + 6, (long) t * width + c, -90, 90) / 16f : sum / 16f;
                }
            }
            return keys;
        }

        float[] values() {
            int[] ints = ints(seed + 7, tokens * width, -7, 7);
            float[] values = new float[ints.length];
            for (int i = 0; i < ints.length; i++) {
                values[i] = ints[i] / 8f;
            }
            return values;
        }

        private static int[] ints(long seed, int count, int low, int high) {
            int[] ints = new int[count];
            for (int i = 0; i < count; i++) {
                ints[i] = one(seed, i, low, high);
            }
            return ints;
        }

        private static int one(long seed, long index, int low, int high) {
            long z = seed + (index + 1) * 0x9E3779B97F4A7C15L;
            z = (z ^ z >>> 30) * 0xBF58476D1CE4E5B9L;
            z = (z ^ z >>> 27) * 0x94D049BB133111EBL;
            z ^= z >>> 31;
            return low + (int) ((z >>> 33) % (high - low + 1));
        }
    }
}
