package io.shadowkv.cache.prefill;

import static org.assertj.core.api.Assertions.assertThat;

import io.shadowkv.cache.prefill.KeyLists.Kept;
import java.util.Arrays;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

/// What MInference's code selects: columns, distances, and the key blocks and columns of each block of rows.
class VerticalSlashTest {
    @ParameterizedTest
    @ValueSource(strings = {"n48-hd64", "n512-hd64", "n1000-hd128", "n2048-hd64"})
    void selectsAsMinference(String name) {
        MinferenceCase golden = MinferenceCase.read(name);
        int n = golden.tokens();
        int d = golden.headDim();
        int last = Math.min(64, n);
        for (int h = 0; h < golden.queries().length; h++) {
            float[] queries = Arrays.copyOfRange(golden.queries()[h], (n - last) * d, n * d);
            float[] keys = golden.keys()[h / golden.groupSize()];
            for (JsonNode size : golden.sizes()) {
                String what = name + ", head " + h + ", " + size.get("tag").asString();
                double factor = size.get("scaled_by_sqrt_head_dim").asBoolean() ? 1 / Math.sqrt(d) : 1;
                LastQueries.Sums sums = new LastQueries(queries, 1, 0, d, factor).attend(keys, n);
                VerticalSlash chosen =
                        VerticalSlash.choose(MinferenceCase.pattern(size), sums.columns(), sums.distances());
                assertThat(chosen.columns())
                        .as(what)
                        .isEqualTo(
                                MinferenceCase.list(size.get("vertical_index").get(h)));
                assertThat(chosen.distances())
                        .as(what)
                        .isEqualTo(MinferenceCase.list(size.get("slash_index").get(h)));
                for (int block = 0; block < Math.ceilDiv(n, 64); block++) {
                    Kept kept = chosen.of(block);
                    assertThat(kept.starts())
                            .as(what + ", block %d", block)
                            .isEqualTo(MinferenceCase.list(
                                    size.get("blocks").get(h).get(block)));
                    assertThat(kept.columns())
                            .as(what + ", block %d", block)
                            .isEqualTo(MinferenceCase.list(
                                    size.get("columns").get(h).get(block)));
                }
            }
        }
    }
}
