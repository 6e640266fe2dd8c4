package io.shadowkv.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.shadowkv.cli.process.TokenCount;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine.TypeConversionException;

/// Parsing of numbers of tokens.
class TokenCountTest {
    @ParameterizedTest
    @CsvSource({"122k,124928", "60K,61440", "1m,1048576", "4096,4096", "1,1", "2147483647,2147483647"})
    void readsTokens(String text, int tokens) {
        assertThat(new TokenCount.Converter().convert(text).tokens()).isEqualTo(tokens);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "0", "0k", "-1", "k", "1.5k", "1kk", "4g", "2147483648", "2097152k", "99999999999"})
    void refusesWhatIsNoNumberOfTokens(String text) {
        assertThatExceptionOfType(TypeConversionException.class)
                .isThrownBy(() -> new TokenCount.Converter().convert(text))
                .withMessageContaining("'" + text + "' is not a number of tokens");
    }
}
