package io.shadowkv.cli.demo;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

final class FetchRecorderTest {
    @Test
    void drawsAColumnAStepAndARowAPartOfTheText() {
        // 20 chunks per row and 2 heads: one fetched chunk is 2.5 % of a row.
        var recorder = new FetchRecorder(2, 2560);
        step(recorder, 0, 100, new int[][] {{0}, {}}, new int[][] {{0, 2559}, {1280}});
        step(recorder, 1, 100, new int[][] {{100, 101}, {119}}, new int[][] {{100, 101}, {119}});
        recorder.endTurn();
        step(recorder, 0, 101, new int[][] {{}, {}}, new int[][] {{4}, {4}});
        step(recorder, 1, 101, new int[][] {{0, 1, 2, 3}, {0, 1, 2}}, new int[][] {{0, 1, 2, 3}, {0, 1, 2}});
        step(recorder, 0, 102, new int[][] {{}, {}}, new int[][] {{3000}, {}});
        step(recorder, 1, 102, new int[][] {{}, {}}, new int[][] {{}, {}});
        recorder.endTurn();

        FetchMap map = recorder.map();
        assertThat(map.steps()).isEqualTo(3);
        assertThat(map.chunksPerRow()).isEqualTo(20);
        assertThat(map.turns()).containsExactly(new FetchMap.Turn(0, 1), new FetchMap.Turn(1, 3));
        assertThat(map.levels()[0][0]).hasSize(128);
        assertThat(map.levels()[0][0][0]).as("one fetched").isEqualTo((byte) 2);
        assertThat(map.levels()[0][0][127]).as("resident").isEqualTo((byte) 1);
        assertThat(map.levels()[0][0][64]).isEqualTo((byte) 1);
        assertThat(map.levels()[0][0][63]).isEqualTo((byte) 0);
        assertThat(map.levels()[1][0][5]).as("three fetched in one row").isEqualTo((byte) 3);
        assertThat(map.levels()[1][1][0]).as("seven fetched in one row").isEqualTo((byte) 4);
        assertThat(map.levels()[0][2])
                .as("chunks of generated text are outside")
                .containsOnly(0);
    }

    @Test
    void stepsOfSeveralRowsAreOneColumn() {
        var recorder = new FetchRecorder(2, 8);
        for (int layer = 0; layer < 2; layer++) {
            for (int row = 0; row < 3; row++) {
                step(recorder, layer, 50 + row, new int[][] {{1}}, new int[][] {{1}});
            }
        }
        recorder.endTurn();
        assertThat(recorder.map().steps()).isEqualTo(1);
    }

    @Test
    void aTextThatWasKeptWholeHasNoSteps() {
        var recorder = new FetchRecorder(3, 0);
        recorder.endTurn();
        assertThat(recorder.map().steps()).isZero();
    }

    private static void step(FetchRecorder recorder, int layer, int position, int[][] missed, int[][] resident) {
        recorder.selected(layer, 0, position, missed, resident);
    }
}
