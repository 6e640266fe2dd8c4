package io.shadowkv.eval.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.shadowkv.CharacterTokenizer;
import io.shadowkv.RandomCheckpoint;
import io.shadowkv.cache.KvCacheSpec;
import io.shadowkv.engine.Cancellation;
import io.shadowkv.engine.EngineOptions;
import io.shadowkv.engine.GenerationOptions;
import io.shadowkv.engine.Request;
import io.shadowkv.engine.serve.Conversation;
import io.shadowkv.engine.serve.Engine;
import io.shadowkv.eval.EvalTask;
import io.shadowkv.eval.Item;
import io.shadowkv.eval.Method;
import io.shadowkv.eval.PromptFormat;
import io.shadowkv.eval.Sample;
import io.shadowkv.eval.SampleRefusal;
import io.shadowkv.op.reference.ReferenceBackend;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CancellationException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A small random model answers; the tests check the requests to the engine and the records.
class EngineExaminerTest {
    private static final String CONTEXT = "it was a bright cold day in April, and the clocks were striking thirteen; ";
    private static final Method NARROW = Method.of(new KvCacheSpec.Shadow(32, 4, 16, 2, 8, 8));

    private static final GenerationOptions SIX = GenerationOptions.DEFAULT.withMaxNewTokens(6);

    @TempDir
    Path temporary;

    private ReferenceBackend backend;
    private Engine engine;

    @BeforeEach
    void openEngine() {
        Path folder = RandomCheckpoint.TALKING.writeTalking(temporary.resolve("model"), CharacterTokenizer.END);
        backend = new ReferenceBackend();
        engine = Engine.open(folder, backend, EngineOptions.DEFAULT);
    }

    @AfterEach
    void closeEngine() {
        engine.close();
        backend.close();
    }

    private static final MadeTasks.Task SINGLE = new MadeTasks.Task(
            "t/single",
            Sample.History.CONVERSATION,
            List.of(List.of(CONTEXT + CONTEXT + "why?"), List.of("so?"), List.of(CONTEXT + "when?")));
    private static final MadeTasks.Task TURNS = new MadeTasks.Task(
            "t/turns", Sample.History.CONVERSATION, List.of(List.of(CONTEXT + "why?", "and then?", "really?")));
    private static final MadeTasks.Task SHARED = new MadeTasks.Task(
            "t/shared", Sample.History.SHARED_CONTEXT, List.of(List.of(CONTEXT, "why?", "when?", "who was it?")));

    private EvalPlan plan(List<Method> methods) {
        List<String> names = List.of(SINGLE.name(), TURNS.name(), SHARED.name());
        return new EvalPlan("m", "reference", "F32", names, 0, 3, 42, methods);
    }

    private EngineExaminer examiner(EvalPlan plan, boolean measuresDivergence, Cancellation cancellation) {
        Map<String, EvalTask> tasks = Map.of(SINGLE.name(), SINGLE, TURNS.name(), TURNS, SHARED.name(), SHARED);
        PromptFormat format = PromptFormat.of(engine);
        return new EngineExaminer(engine, plan, tasks, format, measuresDivergence, cancellation);
    }

    private List<AnswerRecord> ask(EvalPlan plan, List<Item> items) {
        List<Double> shares = new ArrayList<>();
        List<AnswerRecord> answers = examiner(plan, true, new Cancellation()).examine(items, _ -> true, shares::add);
        assertThat(shares).isNotEmpty().isSorted().last().isEqualTo(1.0);
        return answers;
    }

    @Test
    void everyMethodAnswersTheSamePrompt() {
        EvalPlan plan = plan(List.of(Method.FULL, NARROW));
        List<Item> items = List.of(new Item("t/single", 0), new Item("t/single", 1), new Item("t/single", 2));
        List<AnswerRecord> answers = ask(plan, items);
        assertThat(answers).hasSize(6);
        for (int i = 0; i < 6; i += 2) {
            AnswerRecord full = answers.get(i);
            AnswerRecord narrow = answers.get(i + 1);
            assertThat(full.key()).isEqualTo(plan.key(items.get(i / 2), Method.FULL));
            assertThat(narrow.key()).isEqualTo(plan.key(items.get(i / 2), NARROW));
            assertThat(narrow.promptHash()).isEqualTo(full.promptHash());
            assertThat(full.divergence()).isNull();
            assertThat(narrow.divergence()).isNotNull();
            assertThat(full.scores()).isEqualTo(scores(full));
            assertThat(full.scores().keySet()).containsExactly("letters", "string_match_all");
            assertThat(full.labels()).containsEntry("depth", "5");
            assertThat(full.batch()).isEqualTo(3);
            String prompt = SINGLE.turns().get(i / 2).getFirst() + ">";
            assertThat(full.promptTokens()).isEqualTo(prompt.length());
            assertThat(full.answer())
                    .isEqualTo(engine.complete(Request.of(CharacterTokenizer.ids(prompt), SIX))
                            .text());
        }
        assertThat(answers.stream().map(AnswerRecord::promptHash).distinct()).hasSize(3);
        assertThat(answers.get(1).hitRate()).as("selected from a long prompt").isNotNull();
        assertThat(answers.get(3).hitRate()).as("kept whole").isNull();
    }

    private static Map<String, Double> scores(AnswerRecord answer) {
        return Map.of(
                "letters",
                MadeTasks.LETTERS.score(answer.answer(), List.of()),
                "string_match_all",
                answer.answer().toLowerCase(Locale.ROOT).contains("e") ? 1.0 : 0.0);
    }

    /// A resumed run asks what is missing, with the same results as a run that asked everything.
    @Test
    void onlyWhatIsWantedIsReturned() {
        EvalPlan plan = plan(List.of(Method.FULL, NARROW));
        Item item = new Item("t/single", 0);
        List<AnswerRecord> both = ask(plan, List.of(item));
        List<AnswerRecord> missing = examiner(plan, true, new Cancellation())
                .examine(List.of(item), key -> key.method().equals(NARROW), _ -> {});
        assertThat(missing).hasSize(1);
        assertThat(missing.getFirst().answerIds()).isEqualTo(both.getLast().answerIds());
        assertThat(missing.getFirst().divergence()).isEqualTo(both.getLast().divergence());
        assertThat(examiner(plan, false, new Cancellation())
                        .examine(List.of(item), key -> key.method().equals(NARROW), _ -> {})
                        .getFirst()
                        .divergence())
                .isNull();
    }

    @Test
    void turnsFollowEachMethodsOwnAnswers() {
        List<AnswerRecord> answers = ask(plan(List.of(Method.FULL, NARROW)), List.of(new Item("t/turns", 0)));
        assertThat(answers).extracting(answer -> answer.key().turn()).containsExactly(0, 0, 1, 1, 2, 2);
        try (Conversation conversation = engine.converse(600)) {
            for (int turn = 0; turn < 3; turn++) {
                String user = (turn == 0 ? "" : "\n") + TURNS.turns().getFirst().get(turn);
                int[] ids = engine.tokenizer().encode(user + ">", false);
                assertThat(answers.get(2 * turn).answer())
                        .as("turn " + turn)
                        .isEqualTo(conversation.send(Request.of(ids, SIX)).text());
            }
        }
    }

    /// Independent of the model's previous answers; the text is read once.
    @Test
    void turnsMayFollowRightAnswers() {
        List<String> users = List.of(CONTEXT + "why?", "and then?", "really?");
        MadeTasks.Task given = new MadeTasks.Task("t/given", Sample.History.RIGHT_ANSWERS, List.of(users));
        List<AnswerRecord> answers = examiner(given)
                .examine(List.of(new Item("t/given", 0)), key -> key.method().equals(Method.FULL), _ -> {});
        assertThat(answers).hasSize(3);
        String before = "";
        for (int i = 0; i < 3; i++) {
            String question = before + users.get(i);
            assertThat(answers.get(i).answer())
                    .as("turn " + i)
                    .isEqualTo(engine.complete(Request.of(engine.tokenizer().encode(question + ">", false), SIX))
                            .text());
            // "e" is each turn's right answer; the beginning of the answer stays before it.
            before = question + ">e\n";
        }
    }

    /// The reasoning is recorded without a score, and the next prompt quotes it instead of the
    /// text.
    @Test
    void aLaterPromptMayQuoteTheReasoning() {
        Sample.Turn thoughts = new Sample.Turn(CONTEXT + "why?", "why?", "", List.of(), 6, List.of(), List.of());
        Sample.Turn conclusion = new Sample.Turn(
                "So: " + Sample.QUOTE + "?", "why?", "", List.of("e"), 4, List.of(), List.of(MadeTasks.LETTERS));
        EvalTask task = new MadeTasks.Made(
                1,
                index -> new Sample(
                        "t/single",
                        index,
                        List.of(thoughts, conclusion),
                        Sample.Wrapping.CHAT,
                        Sample.History.QUOTED_ANSWER,
                        Map.of()));
        var examiner = new EngineExaminer(
                engine,
                plan(List.of(Method.FULL, NARROW)),
                Map.of("t/single", task),
                PromptFormat.of(engine),
                true,
                new Cancellation());
        List<AnswerRecord> answers = examiner.examine(List.of(new Item("t/single", 0)), _ -> true, _ -> {});
        assertThat(answers).extracting(answer -> answer.key().turn()).containsExactly(0, 0, 1, 1);
        assertThat(answers).extracting(AnswerRecord::isJudged).containsExactly(false, false, true, true);
        assertThat(answers.get(1).divergence()).isNotNull();
        assertThat(answers.get(0).promptHash()).isEqualTo(answers.get(3).promptHash());
        for (int i = 0; i < 2; i++) {
            String quoted = "So: " + answers.get(i).answer().strip() + "?";
            int[] prompt = engine.tokenizer().encode(quoted, false);
            assertThat(answers.get(2 + i).promptTokens()).isEqualTo(prompt.length);
            if (i == 0) {
                assertThat(answers.get(2).answer())
                        .isEqualTo(engine.complete(Request.of(prompt, GenerationOptions.DEFAULT.withMaxNewTokens(4)))
                                .text());
            }
        }
    }

    /// samsum's rule: neither the end of sequence nor the stop id may be the first token.
    @Test
    void aStopIdEndsAnAnswerButNotAtOnce() {
        int[] prompt = CharacterTokenizer.ids(CONTEXT + "why?");
        int[] free = engine.complete(Request.of(prompt, SIX)).ids();
        Sample.Turn turn = new Sample.Turn(
                CONTEXT + "why?", "why?", "", List.of("e"), 6, List.of(free[0]), List.of(MadeTasks.LETTERS));
        EvalTask task = new MadeTasks.Made(1, index -> new Sample("t/single", index, List.of(turn)));
        var examiner = new EngineExaminer(
                engine,
                plan(List.of(Method.FULL)),
                Map.of("t/single", task),
                PromptFormat.of(engine),
                false,
                new Cancellation());
        AnswerRecord answer = examiner.examine(List.of(new Item("t/single", 0)), _ -> true, _ -> {})
                .getFirst();
        assertThat(answer.answerIds().getFirst()).isNotEqualTo(free[0]);
        assertThat(answer.answer()).isNotEmpty();
    }

    @Test
    void questionsOnASharedTextDoNotSeeEachOther() {
        List<AnswerRecord> answers = ask(plan(List.of(Method.FULL)), List.of(new Item("t/shared", 0)));
        assertThat(answers).hasSize(3);
        for (int i = 0; i < 3; i++) {
            String prompt = CONTEXT + SHARED.turns().getFirst().get(i + 1) + ">";
            assertThat(answers.get(i).answer())
                    .isEqualTo(engine.complete(Request.of(CharacterTokenizer.ids(prompt), SIX))
                            .text());
        }
    }

    @Test
    void aPromptLongerThanTheContextIsNamed() {
        MadeTasks.Task tooLong =
                new MadeTasks.Task("t/single", Sample.History.CONVERSATION, List.of(List.of(CONTEXT.repeat(20))));
        var examiner = new EngineExaminer(
                engine,
                plan(List.of(Method.FULL)),
                Map.of("t/single", tooLong),
                PromptFormat.of(engine),
                false,
                new Cancellation());
        assertThatIllegalArgumentException()
                .isThrownBy(() -> examiner.examine(List.of(new Item("t/single", 0)), _ -> true, _ -> {}))
                .withMessageStartingWith("sample 0 of t/single has 1,481 tokens; the model's context is 1,024");
    }

    private static SampleRefusal refusal(EngineExaminer examiner, Item item) {
        return catchThrowableOfType(
                SampleRefusal.class,
                () -> examiner.examine(List.of(new Item("t/single", 0), item), _ -> true, _ -> {}));
    }

    private EngineExaminer examiner(MadeTasks.Task other) {
        return new EngineExaminer(
                engine,
                plan(List.of(Method.FULL, NARROW)),
                Map.of(SINGLE.name(), SINGLE, other.name(), other),
                PromptFormat.of(engine),
                false,
                new Cancellation());
    }

    /// Refused before anything is asked: if every answer had its maximum length, the last turn
    /// would not fit.
    @Test
    void turnsThatWouldNotFitTheContextAreRefusedTogether() {
        List<List<String>> turns = List.of(List.of(CONTEXT.repeat(8), CONTEXT.repeat(5), CONTEXT));
        Item item = new Item("t/long", 0);
        MadeTasks.Task conversation = new MadeTasks.Task(item.task(), Sample.History.CONVERSATION, turns);
        assertThat(refusal(examiner(conversation), item)).satisfies(refusal -> {
            assertThat(refusal.item()).isEqualTo(item);
            // 14 contexts of 74, three prefixes, two answers of 6; the vocabulary has no line
            // break.
            assertThat(refusal)
                    .hasMessageStartingWith(
                            "sample 0 of t/long has 1,051 tokens, its earlier answers included; the model's context is 1,024");
        });
        MadeTasks.Task shared = new MadeTasks.Task(item.task(), Sample.History.SHARED_CONTEXT, turns);
        assertThat(examiner(shared).examine(List.of(item), _ -> true, _ -> {})).hasSize(4);
        List<List<String>> one = List.of(List.of(CONTEXT.repeat(8), CONTEXT, CONTEXT.repeat(6)));
        assertThat(refusal(examiner(new MadeTasks.Task(item.task(), Sample.History.SHARED_CONTEXT, one)), item))
                .hasMessageStartingWith("sample 0 of t/long has 1,037 tokens; the model's context is 1,024");
    }

    /// Otherwise the text of that turn would be lost.
    @Test
    void aTurnOfAConversationThatAsksNothingIsRefused() {
        Sample.Turn said = new Sample.Turn(CONTEXT, "", "", List.of(), 1, List.of(), List.of());
        Sample.Turn asked = new Sample.Turn("why?", "", "", List.of("e"), 6, List.of(), List.of(MadeTasks.LETTERS));
        EvalTask task = new MadeTasks.Made(1, index -> new Sample("t/single", index, List.of(said, asked)));
        var examiner = new EngineExaminer(
                engine,
                plan(List.of(Method.FULL)),
                Map.of("t/single", task),
                PromptFormat.of(engine),
                false,
                new Cancellation());
        assertThatIllegalArgumentException()
                .isThrownBy(() -> examiner.examine(List.of(new Item("t/single", 0)), _ -> true, _ -> {}))
                .withMessageStartingWith("of the 2 turns of sample 0 of t/single, 1 are asked");
    }

    /// The record has the number of sequences that decoded together, not of those asked together.
    @Test
    void theBatchIsWhatTheEngineMadeOfIt() {
        try (Engine two = Engine.open(temporary.resolve("model"), backend, EngineOptions.DEFAULT.withMaxBatch(2))) {
            var examiner = new EngineExaminer(
                    two,
                    plan(List.of(Method.FULL)),
                    Map.of(SINGLE.name(), SINGLE),
                    PromptFormat.of(two),
                    false,
                    new Cancellation());
            List<Item> items = List.of(new Item("t/single", 0), new Item("t/single", 1), new Item("t/single", 2));
            assertThat(examiner.examine(items, _ -> true, _ -> {}))
                    .extracting(AnswerRecord::batch)
                    .containsExactly(2, 2, 1);
        }
    }

    /// A question without another, and one that is asked twice, keep a token of their own.
    @Test
    void questionsOnASharedTextMayBeTheSame() {
        MadeTasks.Task same = new MadeTasks.Task(
                "t/same",
                Sample.History.SHARED_CONTEXT,
                List.of(List.of(CONTEXT, "why?", "why?"), List.of(CONTEXT, "why?")));
        List<AnswerRecord> answers =
                examiner(same).examine(List.of(new Item("t/same", 0), new Item("t/same", 1)), _ -> true, _ -> {});
        assertThat(answers).hasSize(6);
        for (int i = 0; i < 6; i++) {
            assertThat(answers.get(i).answer()).isEqualTo(answers.get(i % 2).answer());
            assertThat(answers.get(i).promptTokens()).isEqualTo(1);
        }
    }

    /// Such as a damaged row of a file: the sample is named, and the run can continue without it.
    @Test
    void aSampleThatCannotBeMadeIsRefused() {
        EvalTask damaged = new MadeTasks.Made(2, _ -> {
            throw new IllegalArgumentException("line 7 is not JSON");
        });
        var examiner = new EngineExaminer(
                engine,
                plan(List.of(Method.FULL)),
                Map.of("t/single", damaged),
                PromptFormat.of(engine),
                false,
                new Cancellation());
        assertThatExceptionOfType(SampleRefusal.class)
                .isThrownBy(() -> examiner.examine(List.of(new Item("t/single", 1)), _ -> true, _ -> {}))
                .withMessage("line 7 is not JSON")
                .satisfies(refusal -> assertThat(refusal.item()).isEqualTo(new Item("t/single", 1)));
    }

    @Test
    void aCancelledRunHasNoAnswers() {
        var cancellation = new Cancellation();
        cancellation.cancel();
        assertThatExceptionOfType(CancellationException.class)
                .isThrownBy(() -> examiner(plan(List.of(Method.FULL)), false, cancellation)
                        .examine(List.of(new Item("t/single", 0)), _ -> true, _ -> {}));
    }
}
