package io.shadowkv.eval.niah;

import io.shadowkv.eval.EvalTask;
import io.shadowkv.eval.Metric;
import io.shadowkv.eval.Sample;
import io.shadowkv.eval.TaskContext;
import io.shadowkv.eval.metric.PaperMetrics;
import io.shadowkv.eval.metric.RulerMetrics;
import io.shadowkv.eval.needle.RandomDraws;
import io.shadowkv.eval.text.HaystackFile;
import io.shadowkv.text.Tokenizer;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

/// A needle at every length and depth of a [PressureGrid], one sample for each cell. After the last
/// cell the samples repeat the cells with other needles. Thread-safe.
///
/// The prompt is the paper's own, without a chat template, as in the paper's code. Differences: the
/// text is shortened if prompt and answer together exceed the context (the paper gives its models
/// 2,048 tokens more than the nominal length), and a text that is too short is repeated.
final class PressureTask implements EvalTask {
    /// Room for an answer, as in the paper.
    static final int NEW_TOKENS = 10;

    private static final int LEAST_TOKENS = 512;
    private static final int DIGITS_FROM = 1_000_000;

    private final String name;
    private final TaskContext context;
    private final PressureGrid grid;
    private final NeedleInsertion insertion;
    private final int[] text;

    PressureTask(String name, TaskContext context) {
        if (context.contextTokens() < LEAST_TOKENS) {
            throw new IllegalArgumentException("%s was asked for contexts of up to %,d tokens; it needs at least %,d"
                    .formatted(name, context.contextTokens(), LEAST_TOKENS));
        }
        this.name = name;
        this.context = context;
        grid = PressureGrid.upTo(context.contextTokens());
        insertion = new NeedleInsertion(context.tokenizer());
        text = beginning(HaystackFile.read(context.options().haystack()), context.tokenizer(), grid.maxTokens());
    }

    /// At least `tokens` tokens from the start of a text, which is repeated if necessary.
    private static int[] beginning(String text, Tokenizer tokenizer, int tokens) {
        StringBuilder all = new StringBuilder(text);
        // Enough for English; other texts may need another round.
        int characters = 3 * tokens;
        while (true) {
            characters = Math.multiplyExact(characters, 2);
            while (all.length() < characters) {
                all.append('\n').append(text);
            }
            int[] ids = tokenizer.encode(all.substring(0, characters), false);
            if (ids.length > tokens) {
                return Arrays.copyOf(ids, tokens);
            }
        }
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public int size() {
        return Integer.MAX_VALUE;
    }

    @Override
    public Sample sample(int index) {
        int cell = index % PressureGrid.CELLS;
        SplittableRandom random = RandomDraws.random(context.seed(), name, index);
        String city = PressurePrompts.CITIES.get(random.nextInt(PressurePrompts.CITIES.size()));
        String number = Integer.toString(random.nextInt(DIGITS_FROM, 10 * DIGITS_FROM));
        String question = PressurePrompts.question(city);
        String prompt = prompt(PressurePrompts.needle(city, number), question, cell);
        var turn = new Sample.Turn(prompt, question, "", List.of(number), NEW_TOKENS, List.of(), metrics());
        var labels =
                Map.of("context", Integer.toString(grid.length(cell)), "depth", Integer.toString(grid.depth(cell)));
        return new Sample(name, index, List.of(turn), Sample.Wrapping.NONE, Sample.History.CONVERSATION, labels);
    }

    private String prompt(String needle, String question, int cell) {
        Tokenizer tokenizer = context.tokenizer();
        int length = grid.length(cell);
        String around = tokenizer.decode(Arrays.copyOf(text, length), true);
        int buffer = NeedleInsertion.BUFFER;
        while (true) {
            String hidden = insertion.insert(needle, around, grid.depth(cell), length, buffer);
            String prompt = PressurePrompts.prompt(hidden, question);
            int over = tokenizer.encode(prompt, true).length + NEW_TOKENS - context.contextTokens();
            if (over <= 0) {
                return prompt;
            }
            buffer += over;
            if (buffer >= length) {
                throw new IllegalArgumentException("%s: question and answer leave no room for text in %,d tokens"
                        .formatted(name, context.contextTokens()));
            }
        }
    }

    private static List<Metric> metrics() {
        return List.of(RulerMetrics.STRING_MATCH_ALL, PaperMetrics.NEEDLE_SCORE);
    }
}
