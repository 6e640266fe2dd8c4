package io.shadowkv.cli.eval;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class EvalRunInfoTest {
    @Test
    void theCommandIsKeptWithoutThePlaceItRanAt() {
        assertThat(EvalRunInfo.command(List.of("eval", "--out", "/a/b", "--length", "8k", "--progress", "--seed=1")))
                .isEqualTo("shadowkv eval --length 8k --seed=1");
        assertThat(EvalRunInfo.command(List.of("sweep", "--out=/a/b", "--samples", "3")))
                .isEqualTo("shadowkv sweep --samples 3");
    }
}
