package io.shadowkv.cli.minference;

import io.shadowkv.eval.PromptFormat;
import io.shadowkv.eval.Sample;
import io.shadowkv.eval.needle.NeedleSampler;
import io.shadowkv.eval.needle.NeedleTask;
import io.shadowkv.eval.needle.WordList;
import io.shadowkv.eval.text.RunningText;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.function.IntFunction;

/// The texts of a search.
///
/// @param name identifies them, so that a search does not resume with other texts
/// @param count number of texts
/// @param maker makes the ids of a text
record SearchTexts(String name, int count, IntFunction<int[]> maker) {
    /// Tokens for an answer of seven digits in any tokenizer, with a margin.
    private static final int ANSWER_TOKENS = 24;

    /// The last queries choose what all rows read, so a text ends with a question and its answer.
    static SearchTexts bundled(PromptFormat format, long seed, int tokens, int count) {
        var sampler = new NeedleSampler(format, RunningText.kingJames(), WordList.bundled());
        NeedleTask task = NeedleTask.named("niah_multikey_1");
        return new SearchTexts("bundled", count, number -> {
            Sample.Turn asked = sampler.sample(task, seed, number, new NeedleSampler.Size(tokens, 0, ANSWER_TOKENS))
                    .sample()
                    .turns()
                    .getFirst();
            return format.first(
                    asked.user(),
                    asked.answerPrefix() + " " + asked.references().getFirst());
        });
    }

    /// Parts of a text. A text that is shorter than a part is one part.
    static SearchTexts of(int[] ids, int tokens, int most) {
        int count = Math.clamp(ids.length / tokens, 1, most);
        return new SearchTexts(
                hash(ids),
                count,
                number -> Arrays.copyOfRange(ids, number * tokens, Math.min(ids.length, (number + 1) * tokens)));
    }

    private static String hash(int[] ids) {
        ByteBuffer bytes = ByteBuffer.allocate(ids.length * Integer.BYTES);
        bytes.asIntBuffer().put(ids);
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes.array()), 0, 8);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }

    int[] ids(int number) {
        return maker.apply(number);
    }
}
