package io.shadowkv.engine.laws;

import static org.assertj.core.api.Assertions.assertThat;

import io.shadowkv.CharacterTokenizer;
import io.shadowkv.RandomCheckpoint;
import io.shadowkv.cache.KvCacheSpec;
import io.shadowkv.engine.Completion;
import io.shadowkv.engine.Completion.FinishReason;
import io.shadowkv.engine.EngineOptions;
import io.shadowkv.engine.GenerationOptions;
import io.shadowkv.engine.Request;
import io.shadowkv.engine.ValuePlace;
import io.shadowkv.engine.serve.Conversation;
import io.shadowkv.engine.serve.Engine;
import io.shadowkv.sampling.Sampler;
import io.shadowkv.sampling.SamplingOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/// Requests and completions: what ends a sequence, what a listener hears, what runs at the same time.
public abstract class CompletionLaws extends BackendLaws {
    private static final int[] PROMPT = CharacterTokenizer.ids("once upon a time there was");

    /// Random draws make a text of many different characters, halves of `é` among them.
    private static final GenerationOptions WILD = GenerationOptions.DEFAULT
            .withMaxNewTokens(60)
            .withIgnoreEos(true)
            .withSampling(new SamplingOptions(1.5, 0, 1, 0, 1, 42));

    protected CompletionLaws(BackendUnderTest tested) {
        super(tested);
    }

    static List<KvCacheSpec> strategies() {
        return STRATEGIES;
    }

    private Path talking() {
        return RandomCheckpoint.TALKING.writeTalking(temporary.resolve("talking"), CharacterTokenizer.END);
    }

    private Engine open(Path folder) {
        return Engine.open(folder, backend(), EngineOptions.DEFAULT);
    }

    @ParameterizedTest
    @MethodSource("strategies")
    void aListenerHearsTheCompletion(KvCacheSpec spec) {
        Heard heard = new Heard();
        try (Engine engine = Engine.open(talking(), backend(), EngineOptions.DEFAULT.withCache(spec))) {
            Completion completion = engine.complete(Request.of(PROMPT, WILD).withListener(heard));

            assertThat(heard.text).hasToString(completion.text());
            assertThat(heard.ids).containsExactly(boxed(completion.ids()));
            assertThat(completion.ids())
                    .hasSize(60)
                    .containsAnyOf(CharacterTokenizer.HALF, CharacterTokenizer.OTHER_HALF);
            assertThat(completion.text()).isEqualTo(engine.tokenizer().decode(completion.ids(), true));
            assertThat(completion.finish()).isEqualTo(FinishReason.MAX_NEW_TOKENS);
            assertThat(completion.promptTokens()).isEqualTo(PROMPT.length);
            assertThat(completion.timings().decodeSteps()).isEqualTo(59);
            assertThat(heard.shares).isSorted().allMatch(share -> share > 0 && share <= 1);
            assertThat(heard.shares.getLast()).isEqualTo(1);
        }
    }

    /// Every stop string of three characters crosses token borders; the text ends before it, and nothing of it is
    /// streamed.
    @Test
    void stopStringsEndTheTextBeforeThem() {
        try (Engine engine = open(talking())) {
            String whole = engine.complete(Request.of(PROMPT, WILD)).text();
            for (int from : new int[] {0, 5, 20}) {
                String stop = whole.substring(from, from + 3);
                Heard heard = new Heard();
                List<String> stops = List.of("never said", stop, stop + "?");
                Completion completion = engine.complete(
                        Request.of(PROMPT, WILD.withStopStrings(stops)).withListener(heard));
                assertThat(completion.text()).isEqualTo(whole.substring(0, whole.indexOf(stop)));
                assertThat(heard.text).hasToString(completion.text());
                assertThat(completion.finish()).isEqualTo(FinishReason.STOP_STRING);
            }
            // A stop string that only begins is text after all.
            String end = whole.substring(whole.length() - 2);
            Completion completion = engine.complete(Request.of(PROMPT, WILD.withStopStrings(List.of(end + "~no~"))));
            assertThat(completion.text()).isEqualTo(whole);
            assertThat(completion.finish()).isEqualTo(FinishReason.MAX_NEW_TOKENS);
        }
    }

    /// config.json names the base model's end only; the tokenizer's `eos_token`, or the token with which the chat
    /// template closes an answer, is what the model was trained to end with.
    @ParameterizedTest
    @ValueSource(strings = {"eos_token", "chat_template"})
    void theEndOfATurnEndsItWhoeverNamesIt(String where) throws IOException {
        Path folder = talking();
        int[] ids;
        String end;
        try (Engine engine = open(folder)) {
            ids = engine.complete(Request.of(PROMPT, WILD)).ids();
            end = Objects.requireNonNull(engine.tokenizer().token(ids[25]));
        }
        ObjectNode config = JsonMapper.shared().createObjectNode();
        if (where.equals("eos_token")) {
            config.put("eos_token", end);
        } else {
            // A token with a role is special.
            config.put("pad_token", end);
            config.put("chat_template", "{% for m in messages %}{{ m.content }} {{ pad_token }}{% endfor %}");
        }
        Files.writeString(folder.resolve("tokenizer_config.json"), config.toString());
        int[] expected = Arrays.copyOf(ids, indexOf(ids, ids[25]) + 1);
        try (Engine engine = open(folder)) {
            Completion completion = engine.complete(Request.of(PROMPT, WILD.withIgnoreEos(false)));
            assertThat(completion.finish()).isEqualTo(FinishReason.END_OF_SEQUENCE);
            assertThat(completion.ids()).isEqualTo(expected);
            assertThat(engine.complete(Request.of(PROMPT, WILD)).ids()).isEqualTo(ids);
            Completion stopped = engine.complete(Request.of(PROMPT, WILD.withStopStrings(List.of(end))));
            assertThat(stopped.finish()).as("a special token as a stop string").isEqualTo(FinishReason.STOP_STRING);
            assertThat(stopped.ids()).isEqualTo(expected);
            assertThat(stopped.text()).isEqualTo(completion.text());

            Request ending = Request.of(PROMPT, WILD.withIgnoreEos(false));
            assertThat(engine.compare(ending, List.of(new KvCacheSpec.Full())))
                    .allMatch(compared -> compared.finish() == FinishReason.END_OF_SEQUENCE);
            try (Conversation conversation = engine.converse(200)) {
                assertThat(conversation.send(ending).ids()).isEqualTo(expected);
            }
        }
    }

    @Test
    void theCheckpointsEndOfSequenceEndsIt() {
        int[] ids;
        String text;
        try (Engine engine = open(talking())) {
            Completion completion = engine.complete(Request.of(PROMPT, WILD));
            ids = completion.ids();
            text = completion.text();
        }
        int end = ids[25];
        int at = indexOf(ids, end);
        Path folder = RandomCheckpoint.TALKING.writeTalking(temporary.resolve("ending"), end);
        try (Engine engine = open(folder)) {
            Heard heard = new Heard();
            Completion completion = engine.complete(
                    Request.of(PROMPT, WILD.withIgnoreEos(false)).withListener(heard));
            assertThat(completion.finish()).isEqualTo(FinishReason.END_OF_SEQUENCE);
            assertThat(completion.ids()).isEqualTo(Arrays.copyOf(ids, at + 1));
            assertThat(completion.text()).isEqualTo(engine.tokenizer().decode(Arrays.copyOf(ids, at), true));
            assertThat(heard.text).hasToString(completion.text());
            assertThat(engine.complete(Request.of(PROMPT, WILD)).text())
                    .as("ignoring it")
                    .isEqualTo(text);
        }
    }

    /// The greedy answer that may not end yet takes the likeliest of the other tokens, in prefill's
    /// step and in decode's.
    @Test
    void noIdEndsAnAnswerBeforeItsLeastLength() {
        GenerationOptions greedy = GenerationOptions.DEFAULT.withMaxNewTokens(6);
        int[] free;
        try (Engine engine = open(talking())) {
            free = engine.complete(Request.of(PROMPT, greedy.withIgnoreEos(true)))
                    .ids();
        }
        Path folder = RandomCheckpoint.TALKING.writeTalking(temporary.resolve("at once"), free[0]);
        try (Engine engine = open(folder)) {
            assertThat(engine.complete(Request.of(PROMPT, greedy)).ids()).containsExactly(free[0]);
            for (int least = 1; least <= 3; least++) {
                int[] ids = engine.complete(Request.of(PROMPT, greedy.withMinNewTokens(least)))
                        .ids();
                assertThat(ids).hasSizeGreaterThan(least);
                assertThat(Arrays.copyOf(ids, least)).doesNotContain(free[0]);
                int[] before = PROMPT;
                for (int i = 0; i < least; i++) {
                    List<float[]> rows = new ArrayList<>();
                    engine.logits(before, before.length, false, 0, rows::add);
                    rows.getFirst()[free[0]] = Float.NEGATIVE_INFINITY;
                    assertThat(ids[i]).as("token " + i + " of " + least).isEqualTo(Sampler.argmax(rows.getFirst()));
                    before = Arrays.copyOf(before, before.length + 1);
                    before[before.length - 1] = ids[i];
                }
            }
        }
    }

    /// In addition to the end of sequence, which `ignoreEos` takes away and stop ids do not mind.
    @Test
    void stopIdsEndAnAnswerBeforeTheirText() {
        try (Engine engine = open(talking())) {
            Completion whole = engine.complete(Request.of(PROMPT, WILD));
            int stop = whole.ids()[25];
            int at = indexOf(whole.ids(), stop);
            Completion stopped = engine.complete(Request.of(PROMPT, WILD.withStopIds(List.of(stop))));
            assertThat(stopped.ids()).isEqualTo(Arrays.copyOf(whole.ids(), at + 1));
            assertThat(stopped.finish()).isEqualTo(FinishReason.END_OF_SEQUENCE);
            assertThat(stopped.text()).isEqualTo(engine.tokenizer().decode(Arrays.copyOf(whole.ids(), at), true));
            Completion first = engine.complete(Request.of(PROMPT, WILD.withStopIds(List.of(whole.ids()[0]))));
            assertThat(first.text()).isEmpty();
            Completion later = engine.complete(
                    Request.of(PROMPT, WILD.withStopIds(List.of(whole.ids()[0])).withMinNewTokens(1)));
            assertThat(later.text()).isNotEmpty();
            assertThat(later.ids()[0]).isNotEqualTo(whole.ids()[0]);
        }
    }

    private static int indexOf(int[] ids, int id) {
        int at = 0;
        while (ids[at] != id) {
            at++;
        }
        return at;
    }

    @Test
    void maxNewTokensIsExact() {
        try (Engine engine = open(talking())) {
            for (int tokens : new int[] {1, 2, 17}) {
                Completion completion = engine.complete(Request.of(PROMPT, WILD.withMaxNewTokens(tokens)));
                assertThat(completion.ids()).hasSize(tokens);
                assertThat(completion.finish()).isEqualTo(FinishReason.MAX_NEW_TOKENS);
            }
        }
    }

    /// An answer ends where the context does, however many tokens were asked for.
    @ParameterizedTest
    @MethodSource("strategies")
    void theContextEndsAnAnswer(KvCacheSpec spec) {
        var tight = new RandomCheckpoint("llama", 1, 2, 1, 16, 64, 60, "");
        try (Engine engine = Engine.open(checkpoint(tight), backend(), EngineOptions.DEFAULT.withCache(spec))) {
            Completion completion = engine.complete(Request.of(Logits.ids(50, 64, 1), WILD));
            assertThat(completion.ids()).hasSize(10);
            assertThat(completion.finish()).isEqualTo(FinishReason.MAX_NEW_TOKENS);
        }
    }

    @Test
    void aSeedIsReproducible() {
        try (Engine engine = open(talking())) {
            int[] first = engine.complete(Request.of(PROMPT, WILD)).ids();
            assertThat(engine.complete(Request.of(PROMPT, WILD)).ids()).isEqualTo(first);
            GenerationOptions other = WILD.withSampling(new SamplingOptions(1.5, 0, 1, 0, 1, 43));
            List<Completion> together = engine.complete(List.of(Request.of(PROMPT, other), Request.of(PROMPT, WILD)));
            assertThat(together.get(0).ids()).isNotEqualTo(first);
            if (rounding() == 0) {
                assertThat(together.get(1).ids())
                        .as("drawn together with another sequence")
                        .isEqualTo(first);
            }
        }
    }

    @ParameterizedTest
    @MethodSource("strategies")
    void aBatchOfMixedLengthsIsItsRequestsAlone(KvCacheSpec spec) {
        EngineOptions options =
                EngineOptions.DEFAULT.withCache(spec).withMaxBatch(3).withPrefillRows(16);
        try (Engine engine = Engine.open(talking(), backend(), options)) {
            List<Request> requests = new ArrayList<>();
            int[] lengths = {1, 90, 33, 44, 2, 45};
            for (int i = 0; i < lengths.length; i++) {
                GenerationOptions each =
                        GenerationOptions.DEFAULT.withMaxNewTokens(3 + 5 * i).withIgnoreEos(true);
                requests.add(Request.of(Logits.ids(lengths[i], 90, i), each));
            }
            List<Completion> together = engine.complete(requests);
            for (int i = 0; i < lengths.length; i++) {
                Completion alone = engine.complete(requests.get(i));
                assertThat(together.get(i).ids()).as("request " + i).isEqualTo(alone.ids());
                assertThat(together.get(i).cache().planned())
                        .isEqualTo(alone.cache().planned());
            }
        }
    }

    /// Strategies compared after one reading answer as they do alone with values in host memory, where a comparison
    /// leaves them.
    @Test
    void aComparisonIsItsStrategiesAlone() {
        Path folder = talking();
        Request request = Request.of(Logits.ids(90, 90, 1), WILD);
        List<KvCacheSpec> specs = List.of(NARROW, new KvCacheSpec.Full(), new KvCacheSpec.Shadow(32, 1, 9, 0, 3, 4));
        List<Completion> compared;
        EngineOptions options = EngineOptions.DEFAULT.withValuePlace(ValuePlace.HOST);
        try (Engine engine = Engine.open(folder, backend(), options)) {
            compared = engine.compare(request, specs);
        }
        for (int i = 0; i < specs.size(); i++) {
            try (Engine engine = Engine.open(folder, backend(), options.withCache(specs.get(i)))) {
                Completion alone = engine.complete(request);
                assertThat(compared.get(i).ids()).as(specs.get(i).toString()).isEqualTo(alone.ids());
                assertThat(compared.get(i).text()).isEqualTo(alone.text());
                assertThat(compared.get(i).cache()).isEqualTo(alone.cache());
            }
        }
    }

    @Test
    void twoThreadsTakeTurns() throws Exception {
        try (Engine engine = open(talking());
                ExecutorService threads = Executors.newFixedThreadPool(2)) {
            int[] first = engine.complete(Request.of(PROMPT, WILD)).ids();
            int[] otherPrompt = CharacterTokenizer.ids("another");
            int[] second = engine.complete(Request.of(otherPrompt, WILD)).ids();
            List<Future<int[]>> futures = new ArrayList<>();
            for (int i = 0; i < 6; i++) {
                int[] prompt = i % 2 == 0 ? PROMPT : otherPrompt;
                futures.add(threads.submit(
                        () -> engine.complete(Request.of(prompt, WILD)).ids()));
            }
            for (int i = 0; i < 6; i++) {
                assertThat(futures.get(i).get()).isEqualTo(i % 2 == 0 ? first : second);
            }
        }
    }

    private static Integer[] boxed(int[] ids) {
        return Arrays.stream(ids).boxed().toArray(Integer[]::new);
    }
}
