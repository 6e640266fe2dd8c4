package io.shadowkv.cli.eval;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine.TypeConversionException;

/// Parsing of budgets.
class BudgetTest {
    /// The paper's 1.56 % is its 2,048 of 128K; shares become whole chunks, at least one.
    @ParameterizedTest
    @CsvSource({
        "2048,131072,8,2048",
        "1.56%,131072,8,2048",
        "1.5625%,8192,8,128",
        "6.25%,32768,8,2048",
        "100%,4096,8,4096",
        "0.01%,4096,8,8",
        "1.56%,131072,1,2045"
    })
    void isSoManyTokens(String text, int context, int chunk, int tokens) {
        assertThat(new Budget.Converter().convert(text).at(context, chunk)).isEqualTo(tokens);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "0", "0%", "-8", "101%", "1.5", "8k", "%", "9999999999"})
    void refusesWhatIsNone(String text) {
        assertThatExceptionOfType(TypeConversionException.class)
                .isThrownBy(() -> new Budget.Converter().convert(text))
                .withMessageContaining("'" + text + "' is not a budget; expected tokens, such as 2048");
    }
}
