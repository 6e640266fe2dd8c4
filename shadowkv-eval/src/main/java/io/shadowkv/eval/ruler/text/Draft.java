package io.shadowkv.eval.ruler.text;

import io.shadowkv.eval.Sample;
import java.util.List;

/// A text of some size with its question.
///
/// @param user the user's words, or the whole input where `wrapping` is NONE
/// @param input the prompt with its wrapping, up to the answer's beginning
/// @param prefix beginning of the answer
/// @param wrapping CHAT unless the input is more than the format's wrapping around the user's words
/// @param question the question alone
/// @param answers wanted
/// @param depth of the first needle asked for, 0 to 100; -1 where there are no needles
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
