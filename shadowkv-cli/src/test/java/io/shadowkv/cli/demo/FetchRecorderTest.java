package io.shadowkv.cli.demo;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

final class FetchRecorderTest {
    @Test
    void drawsAColumnAStepAndARowAPartOfTheText() {
        var recorder = new FetchRecorder(2, 256);
        step(recorder, 0, 100, new int[][] {{0}, {}}, new int[][] {{0, 255}, {128}});
        step(recorder, 1, 100, new int[][] {{10, 11}, {10}}, new int[][] {{10, 11}, {10}});
        recorder.endTurn();
        step(recorder, 0, 101, new int[][] {{}, {}}, new int[][] {{4}, {4}});
        step(recorder, 1, 101, new int[][] {{2, 3}, {2, 3}}, new int[][] {{2, 3}, {2, 3}});
        step(recorder, 0, 102, new int[][] {{}, {}}, new int[][] {{300}, {}});
        step(recorder, 1, 102, new int[][] {{}, {}}, new int[][] {{}, {}});
        recorder.endTurn();

        FetchMap map = recorder.map();
        assertThat(map.steps()).isEqualTo(3);
        assertThat(map.chunksPerRow()).isEqualTo(2);
        assertThat(map.turns()).containsExactly(new FetchMap.Turn(0, 1), new FetchMap.Turn(1, 3));
        assertThat(map.levels()[0][0]).hasSize(128);
        assertThat(map.levels()[0][0][0]).isEqualTo((byte) 2);
        assertThat(map.levels()[0][0][127]).isEqualTo((byte) 1);
        assertThat(map.levels()[0][0][64]).isEqualTo((byte) 1);
        assertThat(map.levels()[1][0][5]).as("three fetched in one row").isEqualTo((byte) 3);
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
