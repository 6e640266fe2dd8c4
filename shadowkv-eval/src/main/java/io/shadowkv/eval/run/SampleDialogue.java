package io.shadowkv.eval.run;

import io.shadowkv.engine.Cancellation;
import io.shadowkv.engine.GenerationListener;
import io.shadowkv.engine.GenerationOptions;
import io.shadowkv.engine.Request;
import io.shadowkv.engine.study.Dialogue;
import io.shadowkv.eval.Item;
import io.shadowkv.eval.PromptText;
import io.shadowkv.eval.Sample;
import io.shadowkv.eval.SampleRefusal;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.IntStream;

/// A sample as the engine reads it: the ids of each turn.
public final class SampleDialogue implements Dialogue {
    /// Number of bytes in a prompt's hash.
    private static final int HASH_BYTES = 8;

    private final List<Sample.Turn> asked;
    private final boolean sharesPrompt;
    private final boolean startsOver;
    private final List<int[]> prompts;
    private final int capacity;
    private final PromptText text;
    private final GenerationListener listener;
    private final Cancellation cancellation;

    private SampleDialogue(
            Sample sample,
            List<int[]> prompts,
            PromptText text,
            int contextTokens,
            GenerationListener listener,
            Cancellation cancellation) {
        this.asked = asked(sample);
        this.sharesPrompt = switch (sample.history()) {
            case RIGHT_ANSWERS, SHARED_CONTEXT -> true;
            case CONVERSATION, QUOTED_ANSWER -> false;
        };
        this.startsOver = sample.history() == Sample.History.QUOTED_ANSWER;
        this.prompts = prompts;
        this.text = text;
        this.listener = listener;
        this.cancellation = cancellation;
        long before = beforeLastAnswer();
        if (before >= contextTokens) {
            throw new SampleRefusal(
                    new Item(sample.task(), sample.index()),
                    "sample %,d of %s has %,d tokens%s; the model's context is %,d, the answer included. Give a smaller length, or a model with a longer context"
                            .formatted(
                                    sample.index(),
                                    sample.task(),
                                    before,
                                    turns() > 1 && !sharesPrompt && !startsOver ? ", its earlier answers included" : "",
                                    contextTokens));
        }
        this.capacity = (int) Math.min(contextTokens, whole());
    }

    /// Encodes a sample.
    ///
    /// @param contextTokens the model's context, which limits every answer
    /// @param listener receives the progress of the prefill
    /// @throws SampleRefusal if the turns do not fit the context
    /// @throws IllegalArgumentException if a turn of a conversation has no question, so that its
    ///     text would be lost
    static SampleDialogue of(
            Sample sample, PromptText text, int contextTokens, GenerationListener listener, Cancellation cancellation) {
        int asked = asked(sample).size();
        boolean asksAll = switch (sample.history()) {
            case CONVERSATION, RIGHT_ANSWERS -> true;
            case SHARED_CONTEXT, QUOTED_ANSWER -> false;
        };
        if (asked == 0 || asksAll && asked < sample.turns().size()) {
            throw new IllegalArgumentException(
                    "of the %d turns of sample %,d of %s, %d are asked. Give every turn of a conversation a metric, or let the turns share a text"
                            .formatted(sample.turns().size(), sample.index(), sample.task(), asked));
        }
        List<int[]> prompts = switch (sample.history()) {
            case CONVERSATION, QUOTED_ANSWER ->
                List.of(text.first(sample.turns().getFirst()));
            case RIGHT_ANSWERS -> parted(afterRightAnswers(sample.turns(), text));
            case SHARED_CONTEXT -> parted(onSharedText(sample, text));
        };
        return new SampleDialogue(sample, prompts, text, contextTokens, listener, cancellation);
    }

    /// The turns that are answered, in order.
    static List<Sample.Turn> asked(Sample sample) {
        if (sample.history() == Sample.History.QUOTED_ANSWER) {
            return sample.turns();
        }
        return sample.turns().stream().filter(turn -> !turn.metrics().isEmpty()).toList();
    }

    /// Each turn's whole prompt, beginning with the shared text.
    private static List<int[]> onSharedText(Sample sample, PromptText text) {
        Sample.Turn first = sample.turns().getFirst();
        return asked(sample).stream()
                .map(turn -> turn.equals(first) ? text.first(first) : text.first(first, turn))
                .toList();
    }

    /// Each turn's whole prompt, beginning with the earlier turns and their right answers.
    private static List<int[]> afterRightAnswers(List<Sample.Turn> turns, PromptText text) {
        List<int[]> whole = new ArrayList<>();
        int[] before = {};
        for (Sample.Turn turn : turns) {
            int[] asked = concat(before, after(before, turn, text));
            whole.add(asked);
            before = concat(asked, text.given(turn.rightAnswer()));
        }
        return whole;
    }

    private static int[] after(int[] before, Sample.Turn turn, PromptText text) {
        return before.length == 0 ? text.first(turn) : text.next(turn, -1);
    }

    private static int[] concat(int[] first, int[] second) {
        int[] both = Arrays.copyOf(first, first.length + second.length);
        System.arraycopy(second, 0, both, first.length, second.length);
        return both;
    }

    /// Splits prompts into their common beginning and the rest of each. It compares tokens instead
    /// of text, so that each prompt has the same tokens as if it were encoded alone.
    private static List<int[]> parted(List<int[]> whole) {
        int common = whole.getFirst().length;
        for (int[] prompt : whole) {
            int same = Arrays.mismatch(whole.getFirst(), prompt);
            // Each prompt keeps at least one token of its own.
            common = Math.min(common, Math.min(same < 0 ? prompt.length : same, prompt.length - 1));
        }
        List<int[]> prompts = new ArrayList<>();
        prompts.add(Arrays.copyOf(whole.getFirst(), common));
        for (int[] prompt : whole) {
            prompts.add(Arrays.copyOfRange(prompt, common, prompt.length));
        }
        return prompts;
    }

    /// Tokens before the last answer if every earlier answer has its maximum length; if turns share
    /// a prompt, tokens before the answer to the longest of them.
    private long beforeLastAnswer() {
        long tokens = prompts.getFirst().length;
        if (sharesPrompt) {
            return tokens
                    + prompts.stream().skip(1).mapToInt(ids -> ids.length).max().orElse(0);
        }
        if (startsOver) {
            for (int i = 1; i < asked.size(); i++) {
                tokens = Math.max(
                        tokens,
                        quoting(asked.get(i), "").length
                                + (long) asked.get(i - 1).maxNewTokens());
            }
            return tokens;
        }
        for (int i = 1; i < asked.size(); i++) {
            tokens += asked.get(i - 1).maxNewTokens() + (long) text.next(asked.get(i), -1).length;
        }
        return tokens;
    }

    /// Tokens including that answer.
    private long whole() {
        if (startsOver) {
            return beforeLastAnswer()
                    + asked.stream().mapToInt(Sample.Turn::maxNewTokens).max().orElse(0);
        }
        if (!sharesPrompt) {
            return beforeLastAnswer() + asked.getLast().maxNewTokens();
        }
        long longest = 0;
        for (int i = 0; i < asked.size(); i++) {
            longest = Math.max(
                    longest, prompts.get(i + 1).length + (long) asked.get(i).maxNewTokens());
        }
        return prompts.getFirst().length + longest;
    }

    @Override
    public int turns() {
        return sharesPrompt ? prompts.size() : asked.size();
    }

    @Override
    public Request turn(int index, int lastId) {
        int[] ids = index < prompts.size() ? prompts.get(index) : text.next(asked.get(index), lastId);
        return request(ids, asked.get(sharesPrompt ? Math.max(0, index - 1) : index));
    }

    @Override
    public Request turnAfter(int index, String answer) {
        return request(quoting(asked.get(index), answer), asked.get(index));
    }

    private int[] quoting(Sample.Turn turn, String answer) {
        return text.first(turn.withUser(turn.user().replace(Sample.QUOTE, answer.strip())));
    }

    private Request request(int[] ids, Sample.Turn turn) {
        GenerationOptions options = GenerationOptions.DEFAULT
                .withMaxNewTokens(turn.maxNewTokens())
                .withStopIds(turn.stopIds())
                .withMinNewTokens(turn.stopIds().isEmpty() ? 0 : 1);
        return Request.of(ids, options).withListener(listener).withCancellation(cancellation);
    }

    /// Hash of the ids of all turns, independent of the model's answers: equal for equal prompts.
    String promptHash() {
        IntStream ids = prompts.stream().flatMapToInt(Arrays::stream);
        for (int i = prompts.size(); i < turns(); i++) {
            int[] later = startsOver ? quoting(asked.get(i), "") : text.next(asked.get(i), -1);
            ids = IntStream.concat(ids, Arrays.stream(later));
        }
        return hash(ids.toArray());
    }

    private static String hash(int[] ids) {
        ByteBuffer bytes = ByteBuffer.allocate(ids.length * Integer.BYTES);
        bytes.asIntBuffer().put(ids);
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(bytes.array());
            return HexFormat.of().formatHex(digest, 0, HASH_BYTES);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }

    @Override
    public int capacityTokens() {
        return capacity;
    }

    @Override
    public boolean sharesPrompt() {
        return sharesPrompt;
    }

    @Override
    public boolean startsOver() {
        return startsOver;
    }

    @Override
    public boolean asksPrompt() {
        return !sharesPrompt;
    }
}
