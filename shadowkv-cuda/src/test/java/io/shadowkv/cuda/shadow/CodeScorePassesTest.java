package io.shadowkv.cuda.shadow;

import static org.assertj.core.api.Assertions.assertThat;

import io.shadowkv.cuda.shadow.StreamedCodeScores.Passes;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// The division of a step's segments among the passes of `score_codes.cu`.
class CodeScorePassesTest {
    @Test
    void twentyRowsOfALongContextKeepTheirLogitsInSharedMemory() {
        assertThat(Passes.of(160, 3904, 132, 147)).isEqualTo(new Passes(4, 40, 119, true));
    }

    @Test
    void logitsThatDoNotFitStayInDeviceMemory() {
        assertThat(Passes.of(4, 31_250, 132, 147)).isEqualTo(new Passes(1, 4, 237, false));
        assertThat(Passes.of(4, 10, 132, -1)).isEqualTo(new Passes(1, 4, 1, false));
    }

    @ParameterizedTest
    @CsvSource({"1,1,132,147", "3,40,116,147", "16,3904,132,30", "2048,128,132,147", "5,1,4,2"})
    void blocksHaveRoomForTheirShare(int all, int tiles, int blocks, int room) {
        Passes passes = Passes.of(all, tiles, blocks, room);
        assertThat(passes.segments()).isBetween(1, Math.min(8, all));
        assertThat(passes.count() * passes.segments()).isBetween(all, all + passes.segments() - 1);
        assertThat(blocks * passes.shareTiles()).isGreaterThanOrEqualTo(passes.segments() * tiles);
        assertThat(passes.isShared()).isEqualTo(passes.shareTiles() <= room);
    }
}
