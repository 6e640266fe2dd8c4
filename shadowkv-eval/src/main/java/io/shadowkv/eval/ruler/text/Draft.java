package io.shadowkv.eval.ruler.text;

import io.shadowkv.eval.Sample;
import java.util.List;

/// A text of some size with its question.
///
/// @param user the user's message, or the whole input if `wrapping` is NONE
/// @param input the prompt with its template, up to the beginning of the answer
/// @param prefix beginning of the answer
/// @param wrapping CHAT, unless the input has more around the user's message than the format's
///     template
/// @param question the question alone
/// @param answers right answers
/// @param depth depth of the first needle asked for, 0 to 100; -1 if there are no needles
public record Draft(
        String user,
        String input,
        String prefix,
        Sample.Wrapping wrapping,
        String question,
        List<String> answers,
        int depth) {
    Draft atDepth(int percent) {
        return new Draft(user, input, prefix, wrapping, question, answers, percent);
    }
}
