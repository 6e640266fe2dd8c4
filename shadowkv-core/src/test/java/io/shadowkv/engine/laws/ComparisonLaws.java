package io.shadowkv.engine.laws;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import io.shadowkv.CharacterTokenizer;
import io.shadowkv.RandomCheckpoint;
import io.shadowkv.cache.KvCacheSpec;
import io.shadowkv.engine.Completion;
import io.shadowkv.engine.EngineOptions;
import io.shadowkv.engine.GenerationOptions;
import io.shadowkv.engine.MemoryPlan;
import io.shadowkv.engine.Request;
import io.shadowkv.engine.ValuePlace;
import io.shadowkv.engine.serve.Conversation;
import io.shadowkv.engine.serve.Engine;
import io.shadowkv.engine.study.ComparedAnswers;
import io.shadowkv.engine.study.Dialogue;
import io.shadowkv.engine.study.Divergence;
import io.shadowkv.engine.study.DivergenceMeter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/// Dialogues compared after one reading of their prompts: the same answers as each strategy gives alone.
public abstract class ComparisonLaws extends BackendLaws {
    private static final KvCacheSpec FULL = new KvCacheSpec.Full();
    private static final GenerationOptions TWELVE =
            GenerationOptions.DEFAULT.withMaxNewTokens(12).withIgnoreEos(true);

    protected ComparisonLaws(BackendUnderTest tested) {
        super(tested);
    }

    private Path small() {
        return checkpoint(RandomCheckpoint.SMALL);
    }

    private Engine open(KvCacheSpec spec) {
        // Values in host memory, where a comparison leaves them.
        EngineOptions options = EngineOptions.DEFAULT.withValuePlace(ValuePlace.HOST);
        return Engine.open(small(), backend(), options.withCache(spec));
    }

    /// Several turns of given ids.
    private record Turns(List<int[]> ids, boolean sharesPrompt, boolean asksPrompt) implements Dialogue {
        @Override
        public int turns() {
            return ids.size();
        }

        @Override
        public Request turn(int index, int lastId) {
            return Request.of(ids.get(index), TWELVE);
        }

        @Override
        public int capacityTokens() {
            return 200;
        }
    }

    private static List<int[]> turns(int... lengths) {
        return IntStream.range(0, lengths.length)
                .mapToObj(i -> Logits.ids(lengths[i], 64, 31L * lengths.length + i))
                .toList();
    }

    @Test
    void promptsOfAnyLengthsDecodeTogether() {
        List<Dialogue> dialogues = new ArrayList<>();
        for (int length : new int[] {90, 7, 60, 45}) {
            dialogues.add(Dialogue.of(Request.of(Logits.ids(length, 64, length), TWELVE), length + 12));
        }
        List<KvCacheSpec> specs = List.of(FULL, NARROW);
        try (Engine engine = open(FULL);
                Engine narrow = open(NARROW)) {
            List<List<ComparedAnswers>> together = engine.compare(dialogues, specs, false);
            for (int i = 0; i < dialogues.size(); i++) {
                Request request = dialogues.get(i).turn(0, -1);
                List<ComparedAnswers> answers = together.get(i);
                assertThat(answers.get(0).turns().getFirst().ids())
                        .isEqualTo(engine.complete(request).ids());
                assertThat(answers.get(1).turns().getFirst().ids())
                        .isEqualTo(narrow.complete(request).ids());
                assertThat(answers)
                        .allSatisfy(answer -> assertThat(answer.divergence()).isNull());
            }
        }
    }

    /// More than the limit on a batch allows: one group after the other.
    @Test
    void aLongListIsAnsweredInGroups() {
        List<Dialogue> dialogues = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            dialogues.add(Dialogue.of(Request.of(Logits.ids(20 + i, 64, i), TWELVE), 40));
        }
        try (Engine engine = Engine.open(small(), backend(), EngineOptions.DEFAULT.withMaxBatch(2))) {
            List<List<ComparedAnswers>> answers = engine.compare(dialogues, List.of(FULL), false);
            for (int i = 0; i < 5; i++) {
                assertThat(answers.get(i).getFirst().turns().getFirst().ids())
                        .isEqualTo(engine.complete(dialogues.get(i).turn(0, -1)).ids());
            }
        }
    }

    @Test
    void laterTurnsAreAConversationOfEachStrategy() {
        List<int[]> ids = turns(70, 5, 9);
        Dialogue longer = new Turns(ids, false, true);
        Dialogue shorter = new Turns(turns(50, 3), false, true);
        List<List<ComparedAnswers>> compared;
        try (Engine engine = open(FULL)) {
            compared = engine.compare(List.of(longer, shorter), List.of(FULL, NARROW), false);
        }
        assertThat(compared.get(1).getFirst().turns()).hasSize(2);
        for (int i = 0; i < 2; i++) {
            try (Engine engine = open(i == 0 ? FULL : NARROW);
                    Conversation conversation = engine.converse(200)) {
                for (int turn = 0; turn < 3; turn++) {
                    assertThat(compared.get(0).get(i).turns().get(turn).ids())
                            .as("strategy " + i + ", turn " + turn)
                            .isEqualTo(conversation.send(longer.turn(turn, -1)).ids());
                }
            }
        }
    }

    /// Each turn follows the prompt: what comes of one is what comes of it alone.
    @Test
    void turnsThatShareAPromptDoNotSeeEachOther() {
        List<int[]> ids = turns(80, 6, 4);
        Dialogue all = new Turns(ids, true, false);
        try (Engine engine = open(FULL)) {
            List<ComparedAnswers> answers =
                    engine.compare(List.of(all), List.of(FULL, NARROW), false).getFirst();
            for (int strategy = 0; strategy < 2; strategy++) {
                List<Completion> turns = answers.get(strategy).turns();
                assertThat(turns).hasSize(2);
                for (int turn = 1; turn <= 2; turn++) {
                    Dialogue one = new Turns(List.of(ids.get(0), ids.get(turn)), true, false);
                    Completion alone = engine.compare(List.of(one), List.of(FULL, NARROW), false)
                            .getFirst()
                            .get(strategy)
                            .turns()
                            .getFirst();
                    assertThat(turns.get(turn - 1).ids()).isEqualTo(alone.ids());
                }
            }
            int[] joined = IntStream.concat(Arrays.stream(ids.get(0)), Arrays.stream(ids.get(2)))
                    .toArray();
            assertThat(answers.getFirst().turns().getLast().ids())
                    .isEqualTo(engine.complete(Request.of(joined, TWELVE)).ids());
        }
    }

    /// A second prompt that quotes the first answer, as thoughts are: what comes of it is what
    /// comes of it alone.
    private record Quoting(int[] prompt) implements Dialogue {
        @Override
        public int turns() {
            return 2;
        }

        @Override
        public Request turn(int index, int lastId) {
            return Request.of(prompt, TWELVE);
        }

        @Override
        public boolean startsOver() {
            return true;
        }

        @Override
        public Request turnAfter(int index, String answer) {
            return Request.of(CharacterTokenizer.ids("so: " + answer.replaceAll("[^ -~]", "~") + "?"), TWELVE);
        }

        @Override
        public int capacityTokens() {
            return 102;
        }
    }

    @Test
    void aTurnThatStartsOverReadsAPromptOfItsOwn() {
        Path talking = RandomCheckpoint.TALKING.writeTalking(temporary.resolve("talking"), CharacterTokenizer.END);
        List<KvCacheSpec> both = List.of(FULL, NARROW);
        Dialogue quoting = new Quoting(CharacterTokenizer.ids("once upon a time there was ".repeat(3)));
        EngineOptions options = EngineOptions.DEFAULT.withValuePlace(ValuePlace.HOST);
        for (List<KvCacheSpec> specs : List.of(both, List.<KvCacheSpec>of(NARROW))) {
            List<ComparedAnswers> compared;
            try (Engine engine = Engine.open(talking, backend(), options.withMaxBatch(2))) {
                List<List<ComparedAnswers>> all = engine.compare(List.of(quoting, quoting), specs, specs.size() > 1);
                compared = all.getFirst();
                for (int i = 0; i < specs.size(); i++) {
                    assertThat(all.getLast().get(i).turns().getLast().ids())
                            .isEqualTo(compared.get(i).turns().getLast().ids());
                }
            }
            for (int i = 0; i < specs.size(); i++) {
                try (Engine engine = Engine.open(talking, backend(), options.withCache(specs.get(i)))) {
                    List<Completion> turns = compared.get(i).turns();
                    assertThat(turns).hasSize(2);
                    Completion first = engine.complete(quoting.turn(0, -1));
                    assertThat(turns.getFirst().ids()).isEqualTo(first.ids());
                    Completion second = engine.complete(quoting.turnAfter(1, first.text()));
                    assertThat(turns.getLast().ids()).isEqualTo(second.ids());
                    assertThat(turns.getLast().promptTokens()).isEqualTo(second.promptTokens());
                }
            }
        }
    }

    /// The measure is that of logits which the strategies give for full attention's answer.
    @Test
    void divergenceIsThatOfTheLogits() {
        int[] prompt = Logits.ids(90, 64, 5);
        Request request = Request.of(prompt, TWELVE);
        List<KvCacheSpec> specs = List.of(FULL, NARROW, FULL);
        List<ComparedAnswers> answers;
        try (Engine engine = open(FULL)) {
            answers = engine.compare(List.of(Dialogue.of(request, 102)), specs, true)
                    .getFirst();
        }
        int[] answer = answers.getFirst().turns().getFirst().ids();
        assertThat(answers.getFirst().divergence()).isNull();
        assertThat(answers.get(1).turns().getFirst().ids())
                .as("an answer that goes its own way")
                .isNotEqualTo(answer);
        List<float[]> full = logits(FULL, prompt, answer);
        List<float[]> narrow = logits(NARROW, prompt, answer);
        double sum = 0;
        double largest = 0;
        for (int i = 0; i < full.size(); i++) {
            double kl = DivergenceMeter.kl(full.get(i), narrow.get(i));
            sum += kl;
            largest = Math.max(largest, kl);
        }
        Divergence found = answers.get(1).divergence();
        assertThat(found).isNotNull();
        assertThat(found.positions()).isEqualTo(11);
        assertThat(found.meanKl()).isPositive().isCloseTo(sum / 11, within(1e-3 * sum));
        assertThat(found.maxKl()).isCloseTo(largest, within(1e-3 * largest));
        assertThat(answers.get(2).divergence()).isNotNull().satisfies(none -> {
            assertThat(none.meanKl()).isLessThan(1e-6);
            assertThat(none.topOneAgreement()).isEqualTo(1);
        });
    }

    /// Logits before each token of the answer but the first.
    private List<float[]> logits(KvCacheSpec spec, int[] prompt, int[] answer) {
        int[] ids = IntStream.concat(Arrays.stream(prompt), Arrays.stream(answer))
                .limit(prompt.length + answer.length - 1)
                .toArray();
        List<float[]> rows = new ArrayList<>();
        try (Engine engine = open(spec)) {
            engine.logits(ids, prompt.length, true, 0, rows::add);
        }
        return rows.subList(prompt.length, rows.size());
    }

    /// Where a prompt's whole cache does not fit in addition to another one, every strategy reads the prompt itself and
    /// comes
    /// to
    /// the same.
    @Test
    void withoutMemoryForBothEachStrategyReads() {
        List<Dialogue> dialogues = List.of(
                Dialogue.of(Request.of(Logits.ids(90, 64, 5), TWELVE), 102), new Turns(turns(70, 5), false, true));
        List<KvCacheSpec> specs = List.of(FULL, NARROW);
        try (Engine wide = open(FULL)) {
            List<List<ComparedAnswers>> expected = wide.compare(dialogues, specs, true);
            long bytes = Math.max(bytes(wide.plan(FULL, 200, 1)), bytes(wide.plan(NARROW, 200, 1)));
            EngineOptions tight =
                    EngineOptions.DEFAULT.withValuePlace(ValuePlace.HOST).withMemoryLimits(bytes, 0);
            try (Engine engine = Engine.open(small(), backend(), tight)) {
                List<List<ComparedAnswers>> found = engine.compare(dialogues, specs, true);
                for (int i = 0; i < dialogues.size(); i++) {
                    for (int strategy = 0; strategy < 2; strategy++) {
                        ComparedAnswers one = found.get(i).get(strategy);
                        ComparedAnswers other = expected.get(i).get(strategy);
                        assertThat(one.turns()).hasSameSizeAs(other.turns());
                        for (int turn = 0; turn < one.turns().size(); turn++) {
                            assertThat(one.turns().get(turn).ids())
                                    .isEqualTo(other.turns().get(turn).ids());
                        }
                    }
                    Divergence measured = found.get(i).getLast().divergence();
                    assertThat(measured).isNotNull();
                    assertThat(measured.positions()).isEqualTo(11);
                    assertThat(measured.meanKl())
                            .isCloseTo(
                                    expected.get(i).getLast().divergence().meanKl(), within(1e-2 * measured.meanKl()));
                }
            }
        }
    }

    private static long bytes(MemoryPlan plan) {
        MemoryPlan.SequenceBytes one = plan.perSequence();
        return one.resident() + (plan.hostIsDevice() ? one.offloaded() : 0) + plan.workspaceBytes();
    }

    @Test
    void divergenceNeedsFullAttentionFirst() {
        try (Engine engine = open(FULL)) {
            Dialogue dialogue = Dialogue.of(Request.of(new int[] {1, 2}, TWELVE), 14);
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> engine.compare(List.of(dialogue), List.of(NARROW, FULL), true))
                    .withMessage("divergence is measured from full attention, but the first strategy is shadowkv. "
                            + "Put full attention first");
        }
    }
}
