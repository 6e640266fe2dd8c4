package io.shadowkv.cache.prefill;

import static org.assertj.core.api.Assertions.assertThat;

import io.shadowkv.cache.prefill.HeadPatterns.Kind;
import io.shadowkv.cache.prefill.HeadPatterns.Pattern;
import io.shadowkv.op.AttendedRows;
import io.shadowkv.op.Backend;
import io.shadowkv.op.MemoryScope;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Floats;
import io.shadowkv.tensor.Tensor;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

/// What MInference's kernels compute, on a backend.
public abstract class MinferenceGoldens {
    /// A new backend, closed after each test.
    protected abstract Backend open();

    @ParameterizedTest
    @ValueSource(strings = {"n512-hd64", "n1000-hd128", "n2048-hd64"})
    void computesAsMinference(String name) {
        MinferenceCase golden = MinferenceCase.read(name);
        try (Backend backend = open();
                MemoryScope scope = backend.newScope("goldens")) {
            for (JsonNode size : golden.sizes()) {
                JsonNode expected = size.get("out_block64");
                if (expected != null) {
                    boolean isScaled = size.get("scaled_by_sqrt_head_dim").asBoolean();
                    check(golden, MinferenceCase.pattern(size), isScaled, expected, backend, scope);
                }
            }
            JsonNode stream = golden.json().get("stream");
            Pattern band = new Pattern(
                    Kind.STREAM_LLM, stream.get(0).asInt(), stream.get(1).asInt());
            check(golden, band, true, golden.json().get("out_stream_llm"), backend, scope);
        }
    }

    private static void check(
            MinferenceCase golden,
            Pattern pattern,
            boolean isScaled,
            JsonNode expected,
            Backend backend,
            MemoryScope scope) {
        int n = golden.tokens();
        int d = golden.headDim();
        int queryHeads = golden.queries().length;
        Map<Integer, Pattern> heads = new HashMap<>();
        for (int h = 0; h < queryHeads; h++) {
            heads.put(h, pattern);
        }
        var spec = new PrefillSpec.MInference(new HeadPatterns("goldens", List.of(heads)), isScaled, 0);
        var shape = new HeadShape(1, queryHeads, golden.keys().length, d);
        Tensor queries = tensor(tokenMajor(golden), backend, scope, n, queryHeads, d);
        var rows = new AttendedRows(
                tensor(joined(golden.keys()), backend, scope, golden.keys().length, n, d),
                tensor(joined(golden.values()), backend, scope, golden.keys().length, n, d));
        double scale = 1 / Math.sqrt(d);
        try (PromptAttention attention =
                PrefillAttention.of(spec, shape, backend).open(0, n)) {
            attention.observe(0, rows, n, queries.slice(n - 64, 64), scale);
            int[] asked = MinferenceCase.list(golden.json().get("rows"));
            for (int i = 0; i < asked.length; i++) {
                Tensor out = scope.allocate(DType.F32, 1, queryHeads, d);
                attention.attend(0, rows, n, asked[i], queries.slice(asked[i], 1), scale, out);
                float[] found = backend.download(out);
                for (int h = 0; h < queryHeads; h++) {
                    for (int e = 0; e < d; e++) {
                        double difference = Math.abs(
                                found[h * d + e] - expected.get(h).get(i).get(e).asDouble());
                        assertThat(difference <= 1e-5)
                                .as("%s, %s, row %d, head %d: %s", pattern, isScaled, asked[i], h, difference)
                                .isTrue();
                    }
                }
            }
        }
    }

    private static float[] tokenMajor(MinferenceCase golden) {
        int heads = golden.queries().length;
        int d = golden.headDim();
        float[] all = new float[heads * golden.tokens() * d];
        for (int h = 0; h < heads; h++) {
            for (int i = 0; i < golden.tokens(); i++) {
                System.arraycopy(golden.queries()[h], i * d, all, (i * heads + h) * d, d);
            }
        }
        return all;
    }

    private static float[] joined(float[][] heads) {
        float[] all = new float[heads.length * heads[0].length];
        for (int h = 0; h < heads.length; h++) {
            System.arraycopy(heads[h], 0, all, h * heads[h].length, heads[h].length);
        }
        return all;
    }

    private static Tensor tensor(float[] values, Backend backend, MemoryScope scope, int... extents) {
        Tensor host = scope.allocate(Backend.Place.HOST, DType.F32, extents);
        Floats.fill(host, values);
        Tensor tensor = scope.allocate(DType.F32, extents);
        backend.operations().dense().copy(host, tensor);
        return tensor;
    }
}
