package io.shadowkv.eval.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Map;
import org.junit.jupiter.api.Test;

final class PromptTemplateTest {
    @Test
    void bracesAndDollarsOfValuesStayWhatTheyAre() {
        var template = new PromptTemplate("$1 {context}\n{input} {} {context}");
        assertThat(template.fill(Map.of("context", "{input}$0\\", "input", "{context}")))
                .isEqualTo("$1 {input}$0\\\n{context} {} {input}$0\\");
    }

    @Test
    void aPlaceWithoutAValueIsAnError() {
        assertThatThrownBy(() -> new PromptTemplate("{input}").fill(Map.of("context", "")))
                .hasMessageContaining("{input}")
                .hasMessageContaining("given were context");
    }
}
