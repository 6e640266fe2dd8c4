package io.shadowkv.eval.niah;

import static org.assertj.core.api.Assertions.assertThat;

import io.shadowkv.Fixtures;
import io.shadowkv.eval.TinyTokenizer;
import io.shadowkv.eval.text.JsonLines;
import io.shadowkv.eval.text.JsonRow;
import java.nio.file.Path;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// Compares with the output of the paper's own functions.
final class PressureGoldensTest {
    private static final Path GOLDEN = Fixtures.golden("text").resolve("niah");

    static Stream<JsonRow> rows() {
        JsonLines lines = JsonLines.open(GOLDEN.resolve("niah_insert.jsonl"), "the test", "a golden");
        assertThat(lines.size()).isEqualTo(40);
        return IntStream.range(0, lines.size()).mapToObj(lines::read);
    }

    @ParameterizedTest
    @MethodSource("rows")
    void needleAndPromptAreThePapers(JsonRow row) {
        String city = row.text("city");
        String needle = PressurePrompts.needle(city, row.text("number"));
        assertThat(needle).isEqualTo(row.text("needle"));
        assertThat(PressurePrompts.question(city)).isEqualTo(row.text("question"));
        String context = new NeedleInsertion(new TinyTokenizer())
                .insert(
                        needle,
                        row.text("context"),
                        Integer.parseInt(row.text("depth_percent")),
                        Integer.parseInt(row.text("context_length")),
                        Integer.parseInt(row.text("buffer")));
        assertThat(context).isEqualTo(row.text("result_context"));
        assertThat(PressurePrompts.prompt(context, row.text("question"))).isEqualTo(row.text("prompt"));
    }

    @Test
    void gridsAreThePapers() {
        JsonNode grids = new JsonMapper().readTree(GOLDEN.resolve("niah_grid.json"));
        assertThat(grids.propertyNames()).hasSize(6);
        for (String length : grids.propertyNames()) {
            var grid = PressureGrid.upTo(Integer.parseInt(length));
            JsonNode lengths = grids.get(length).get("context_lengths");
            JsonNode depths = grids.get(length).get("depth_percents");
            assertThat(lengths.size() * depths.size()).isEqualTo(PressureGrid.CELLS);
            for (int cell = 0; cell < PressureGrid.CELLS; cell++) {
                assertThat(grid.length(cell))
                        .isEqualTo(lengths.get(cell / depths.size()).intValue());
                assertThat(grid.depth(cell))
                        .isEqualTo(depths.get(cell % depths.size()).intValue());
            }
        }
    }

    @Test
    void constantsAreThePapers() {
        JsonNode constants = new JsonMapper().readTree(GOLDEN.resolve("niah_constants.json"));
        assertThat(PressurePrompts.CITIES)
                .isEqualTo(constants
                        .get("cities")
                        .valueStream()
                        .map(JsonNode::stringValue)
                        .toList());
        assertThat(NeedleInsertion.BUFFER)
                .isEqualTo(constants.get("final_context_length_buffer").intValue());
        assertThat(PressureTask.NEW_TOKENS)
                .isEqualTo(constants.get("max_new_tokens").intValue());
    }
}
