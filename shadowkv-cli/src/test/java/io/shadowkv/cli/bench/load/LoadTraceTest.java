package io.shadowkv.cli.bench.load;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class LoadTraceTest {
    private static final PromptSource IDS = new PromptSource.RandomIds(1000);

    private static TraceSpec.Documents documents(TraceSpec.Order order) {
        return new TraceSpec.Documents(5, 100, 500, 3, 8, 4, order);
    }

    private static List<LoadRequest> requests(LoadTrace trace) {
        return IntStream.range(0, trace.size()).mapToObj(trace::request).toList();
    }

    private static List<Integer> order(LoadTrace trace) {
        return requests(trace).stream()
                .map(request ->
                        java.util.Objects.requireNonNull(request.document()).index())
                .toList();
    }

    private static int[] ids(PromptText text) {
        return ((PromptText.Ids) text).ids();
    }

    @Test
    void lengthsAreMixedAndEachDocumentHasItsQuestions() {
        LoadTrace trace = LoadTrace.of(documents(TraceSpec.Order.INTERLEAVED), IDS, 1, 2, 3);
        assertThat(trace.documents())
                .extracting(LoadDocument::tokens)
                .containsExactlyInAnyOrder(100, 200, 300, 400, 500);
        assertThat(trace.documents())
                .allSatisfy(one -> assertThat(ids(one.text())).hasSize(one.tokens()));
        assertThat(trace.size()).isEqualTo(15);
        for (int round = 0; round < 3; round++) {
            assertThat(order(trace).subList(5 * round, 5 * round + 5)).containsExactlyInAnyOrder(0, 1, 2, 3, 4);
        }
        assertThat(order(LoadTrace.of(documents(TraceSpec.Order.GROUPED), IDS, 1, 2, 3)))
                .containsExactly(0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4);
    }

    /// A second run has equal work but finds nothing in a cache.
    @Test
    void contentsHaveSeedsOfTheirOwn() {
        LoadTrace first = LoadTrace.of(documents(TraceSpec.Order.INTERLEAVED), IDS, 1, 2, 3);
        LoadTrace same = LoadTrace.of(documents(TraceSpec.Order.INTERLEAVED), IDS, 1, 2, 3);
        LoadTrace other = LoadTrace.of(documents(TraceSpec.Order.INTERLEAVED), IDS, 1, 20, 30);
        assertThat(order(same)).isEqualTo(order(first));
        assertThat(ids(same.documents().get(2).text()))
                .isEqualTo(ids(first.documents().get(2).text()));
        assertThat(ids(same.request(4).text())).isEqualTo(ids(first.request(4).text()));
        assertThat(order(other)).isEqualTo(order(first));
        assertThat(other.documents())
                .extracting(LoadDocument::tokens)
                .isEqualTo(first.documents().stream().map(LoadDocument::tokens).toList());
        assertThat(ids(other.documents().get(2).text()))
                .isNotEqualTo(ids(first.documents().get(2).text()));
        assertThat(other.documents()).doesNotContainAnyElementsOf(first.documents());
        assertThat(ids(other.request(4).text()))
                .isNotEqualTo(ids(first.request(4).text()));
        assertThat(ids(first.request(0).text()))
                .isNotEqualTo(ids(first.request(1).text()));
    }

    @Test
    void chatPromptsHaveLengthsInTheRange() {
        LoadTrace trace = LoadTrace.of(new TraceSpec.Chat(500, 10, 20, 4), IDS, 1, 2, 3);
        List<Integer> lengths = requests(trace).stream()
                .map(request -> ids(request.text()).length)
                .toList();
        assertThat(lengths).contains(10, 20).allMatch(length -> length >= 10 && length <= 20);
        assertThat(trace.documents()).isEmpty();
        assertThat(trace.request(0).document()).isNull();
    }

    @Test
    void sentencesHaveAboutTheLength() {
        PromptSource source = new PromptSource.Sentences(8);
        PromptText.Words words = (PromptText.Words) source.draw(new java.util.SplittableRandom(1), 80);
        assertThat(words.text().lines()).hasSize(10).allMatch(line -> line.matches("\\d{5}: .*\\."));
    }

    @Test
    void refusesWhatCannotBe() {
        assertThatThrownBy(() -> new TraceSpec.Chat(1, 20, 10, 1)).hasMessageContaining("expected 20 or more");
        assertThatThrownBy(() -> new TraceSpec.Chat(0, 1, 1, 1)).hasMessage("requests: 0; expected 1 or more");
        assertThatThrownBy(() -> new TraceSpec.Documents(1, 1, 1, 0, 1, 1, TraceSpec.Order.GROUPED))
                .hasMessage("questions: 0; expected 1 or more");
        assertThatThrownBy(() -> new PromptSource.RandomIds(0)).hasMessageContaining("expected 1 or more");
    }
}
