package io.shadowkv.cuda.attention;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class KeyPartsTest {
    @Test
    void aQuestionAboutALongTextOccupiesTheDevice() {
        KeyParts parts = KeyParts.of(64, 32, 4, 976, 132);
        assertThat(parts.pack()).isEqualTo(4);
        assertThat(parts.blocks(64, 32)).isEqualTo(16);
        assertThat(parts.blocks(64, 32) * parts.splits()).isBetween(112L, 132L);
    }

    @Test
    void manyRowsOrFewKeysAreNotDivided() {
        assertThat(KeyParts.of(8192, 32, 4, 976, 132)).isEqualTo(new KeyParts(1, 1, 976));
        assertThat(KeyParts.of(64, 32, 4, 4, 132)).isEqualTo(new KeyParts(1, 1, 4));
    }

    @Test
    void partsCoverAllKeysAndNoneIsEmpty() {
        for (int tokens : new int[] {1, 7, 64, 129, 500}) {
            for (int group : new int[] {1, 3, 4, 6, 16}) {
                for (int tiles : new int[] {1, 9, 33, 100, 977}) {
                    KeyParts parts = KeyParts.of(tokens, 2 * group, group, tiles, 132);
                    assertThat(parts.splits() * parts.splitTiles()).isGreaterThanOrEqualTo(tiles);
                    assertThat((parts.splits() - 1) * parts.splitTiles()).isLessThan(tiles);
                    assertThat(group % parts.pack()).isZero();
                }
            }
        }
    }
}
