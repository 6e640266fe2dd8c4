package io.shadowkv.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.shadowkv.cli.process.ProgressLine;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class ProgressLineTest {
    private static final long SECOND = 1_000_000_000L;

    private final StringWriter text = new StringWriter();
    private final AtomicLong clock = new AtomicLong();

    private ProgressLine line(ProgressLine.Style style) {
        return new ProgressLine(new PrintWriter(text, true), style, "reading", clock::get);
    }

    @Test
    void redrawsOneLineAndTakesItAway() {
        try (ProgressLine line = line(ProgressLine.Style.TERMINAL)) {
            line.update(0.01);
            assertThat(text.toString()).isEmpty();
            clock.set(4 * SECOND);
            line.update(0.5);
            line.update(0.5001);
            clock.set(6 * SECOND);
            line.update(0.75);
        }
        assertThat(text.toString())
                .isEqualTo("\rreading " + "█".repeat(15) + "░".repeat(15) + "  50 %  4 s, about 4 s left\u001b[K"
                        + "\rreading " + "█".repeat(22) + "░".repeat(8) + "  75 %  6 s, about 2 s left\u001b[K"
                        + "\r\u001b[K");
    }

    @Test
    void writesALineEveryTenth() {
        try (ProgressLine line = line(ProgressLine.Style.LINES)) {
            for (int i = 0; i <= 100; i++) {
                clock.set(i * SECOND / 10);
                line.update(i / 100.0, i + " B");
            }
        }
        assertThat(text.toString().lines()).hasSize(10).first().isEqualTo("reading:  10 %  1 s, about 9 s left  10 B");
        assertThat(text.toString()).endsWith("reading: 100 %  10 s  100 B" + System.lineSeparator());
    }

    @Test
    void isSilentWhereNobodyLooks() {
        try (ProgressLine line = line(ProgressLine.Style.OFF)) {
            clock.set(9 * SECOND);
            line.update(Double.NaN);
            line.update(2);
        }
        assertThat(text.toString()).isEmpty();
    }
}
