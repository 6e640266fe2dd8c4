package io.shadowkv.cli;

import static io.shadowkv.cli.Shell.shadowkv;
import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

class BackendsCommandTest {
    @Test
    void listsEachBackendWithItsReason() {
        assertThat(shadowkv("backends").succeeded().out())
                .containsPattern("(?m)^cuda +(usable|-) +.+$")
                .containsPattern("(?m)^cpu +usable +.+$")
                .containsPattern("(?m)^reference +usable +.+$");
        JsonNode json = shadowkv("backends", "--json").json();
        assertThat(json.valueStream().map(entry -> entry.get("name").stringValue()))
                .containsExactly("cuda", "cpu", "reference");
        assertThat(json.valueStream().map(entry -> entry.get("reason").stringValue()))
                .allSatisfy(reason -> assertThat(reason).isNotBlank());
    }

    /// The choice of `auto` is printed with its reason, and the chosen backend runs.
    @Test
    void autoSaysWhatItChose() {
        Shell.Result result = shadowkv("run", "needle-32k", "hello", "-n", "1", "--json");
        assertThat(result.err()).startsWith("backend: cpu, ");
        Shell.Result narrow = shadowkv("inspect", "needle-32k", "--vector-bits", "128", "--threads", "1")
                .succeeded();
        assertThat(narrow.err()).startsWith("backend: cpu, 4 × float lanes (128-bit), 1 thread");
        assertThat(result.json().get("backend").stringValue()).isEqualTo("cpu");
        Shell.Result named = shadowkv("run", "needle-32k", "hello", "-n", "1", "--json", "--backend", "reference");
        assertThat(named.err()).doesNotContain("backend:");
        assertThat(named.json().get("backend").stringValue()).isEqualTo("reference");
    }
}
