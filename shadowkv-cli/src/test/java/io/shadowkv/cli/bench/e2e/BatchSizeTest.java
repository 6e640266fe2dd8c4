package io.shadowkv.cli.bench.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import org.junit.jupiter.api.Test;
import picocli.CommandLine.TypeConversionException;

/// Parsing of batch sizes.
class BatchSizeTest {
    @Test
    void readsBatches() {
        var converter = new BatchSize.Converter();
        assertThat(converter.convert("14").sequences()).isEqualTo(14);
        assertThat(converter.convert("max").isLargest()).isTrue();
        for (String text : new String[] {"0", "-1", "", "most", "1.5", "9999999"}) {
            assertThatExceptionOfType(TypeConversionException.class)
                    .isThrownBy(() -> converter.convert(text))
                    .withMessageContaining("'" + text + "' is not a batch");
        }
    }
}
