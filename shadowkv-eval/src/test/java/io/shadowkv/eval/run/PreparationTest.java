package io.shadowkv.eval.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shadowkv.engine.Cancellation;
import io.shadowkv.engine.GenerationListener;
import io.shadowkv.eval.BlankTokenizer;
import io.shadowkv.eval.Item;
import io.shadowkv.eval.PromptFormat;
import io.shadowkv.eval.PromptText;
import io.shadowkv.eval.Sample;
import io.shadowkv.eval.SampleRefusal;
import io.shadowkv.eval.metric.RulerMetrics;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;

final class PreparationTest {
    private static final List<Item> ITEMS =
            List.of(item(0), item(1), item(2), item(3), item(4), item(5), item(6), item(7), item(8), item(9));

    private final List<Item> made = Collections.synchronizedList(new ArrayList<>());

    private static Item item(int index) {
        return new Item("t/x", index);
    }

    private Preparation.Prepared make(Item item) {
        made.add(item);
        var turn = new Sample.Turn("a b", "b", "", List.of("c"), 1, List.of(), List.of(RulerMetrics.STRING_MATCH_ALL));
        var sample = new Sample(item.task(), item.index(), List.of(turn));
        var tokenizer = new BlankTokenizer();
        var text = new PromptText(Sample.Wrapping.CHAT, PromptFormat.plain(tokenizer), tokenizer);
        var nobody = new GenerationListener() {};
        return new Preparation.Prepared(sample, SampleDialogue.of(sample, text, 100, nobody, new Cancellation()));
    }

    private static List<Integer> indices(List<Preparation.Prepared> prepared) {
        return prepared.stream().map(one -> one.sample().index()).toList();
    }

    /// Independent of the order in which they are finished.
    @Test
    void samplesComeInTheItemsOrder() {
        var isLastMade = new CountDownLatch(1);
        try (var preparation = new Preparation<>(item -> {
            if (item.index() == 0) {
                Barriers.await(isLastMade);
            }
            Preparation.Prepared prepared = make(item);
            if (item.index() == 9) {
                isLastMade.countDown();
            }
            return prepared;
        })) {
            assertThat(indices(preparation.take(ITEMS))).containsExactly(0, 1, 2, 3, 4, 5, 6, 7, 8, 9);
        }
        assertThat(made).containsExactlyInAnyOrderElementsOf(ITEMS);
    }

    @Test
    void whatIsExpectedIsMadeOnceAndBeforeItIsTaken() {
        var areMade = new CountDownLatch(4);
        try (var preparation = new Preparation<>(item -> {
            Preparation.Prepared prepared = make(item);
            areMade.countDown();
            return prepared;
        })) {
            preparation.expect(ITEMS.subList(0, 4));
            Barriers.await(areMade);
            assertThat(indices(preparation.take(ITEMS.subList(0, 2)))).containsExactly(0, 1);
            preparation.expect(ITEMS.subList(2, 5));
            assertThat(indices(preparation.take(ITEMS.subList(2, 6)))).containsExactly(2, 3, 4, 5);
        }
        assertThat(made).containsExactlyInAnyOrderElementsOf(ITEMS.subList(0, 6));
    }

    @Test
    void takeThrowsTheFailureOfItsSample() {
        try (var preparation = new Preparation<>(item -> {
            if (item.index() == 1) {
                throw new SampleRefusal(item, "no room");
            }
            if (item.index() == 2) {
                throw new AssertionError("broken");
            }
            return make(item);
        })) {
            preparation.expect(ITEMS);
            // A refused sample does not discard those that are finished.
            assertThatThrownBy(() -> preparation.take(ITEMS.subList(0, 2))).isInstanceOf(SampleRefusal.class);
            assertThat(indices(preparation.take(ITEMS.subList(0, 1)))).containsExactly(0);
            assertThat(made).containsOnlyOnce(ITEMS.getFirst());
            assertThatThrownBy(() -> preparation.take(ITEMS.subList(1, 2)))
                    .isInstanceOf(SampleRefusal.class)
                    .hasMessage("no room");
            assertThatThrownBy(() -> preparation.take(ITEMS.subList(2, 3)))
                    .isInstanceOf(AssertionError.class)
                    .hasMessage("broken");
            assertThat(indices(preparation.take(ITEMS.subList(3, 5)))).containsExactly(3, 4);
        }
    }

    @Test
    void anInterruptionEndsTheWaiting() {
        var isOver = new CountDownLatch(1);
        try (var preparation = new Preparation<>(item -> {
            Barriers.await(isOver);
            return make(item);
        })) {
            Thread.currentThread().interrupt();
            assertThatExceptionOfType(CancellationException.class)
                    .isThrownBy(() -> preparation.take(ITEMS.subList(0, 1)));
            assertThat(Thread.interrupted()).isTrue();
            isOver.countDown();
        }
    }
}
