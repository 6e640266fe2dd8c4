package io.shadowkv.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shadowkv.cli.process.ByteSize;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine.TypeConversionException;

class ByteSizeTest {
    @ParameterizedTest
    @CsvSource({
        "1, 1",
        "4096, 4096",
        "2k, 2048",
        "8G, 8589934592",
        "8GiB, 8589934592",
        "1.5m, 1572864",
        "512 MB, 536870912",
        "2T, 2199023255552"
    })
    void readsWhatPeopleWrite(String text, long bytes) {
        assertThat(new ByteSize.Converter().convert(text).bytes()).isEqualTo(bytes);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "0", "0G", "-1", "8Q", "G", "1e9", "0.0000001", "99999999999999T", "١G"})
    void refusesWhatIsNoSize(String text) {
        assertThatThrownBy(() -> new ByteSize.Converter().convert(text))
                .isInstanceOf(TypeConversionException.class)
                .hasMessageContaining("is not a size; expected a number of bytes above 0 such as 8G or 512M");
    }

    @ParameterizedTest
    @CsvSource({
        "0, 0 B",
        "1023, 1023 B",
        "1024, 1.00 KiB",
        "10240, 10.0 KiB",
        "167772160, 160 MiB",
        "5368709120, 5.00 GiB",
        "9223372036854775807, 8388608 TiB"
    })
    void writesThreeDigits(long bytes, String text) {
        assertThat(ByteSize.text(bytes)).isEqualTo(text);
    }
}
