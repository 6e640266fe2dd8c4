package io.shadowkv.eval.ruler.text;

import io.shadowkv.eval.ModelTemplate;
import io.shadowkv.eval.NamedFormat;
import io.shadowkv.eval.PromptFormat;
import io.shadowkv.eval.Sample;
import io.shadowkv.eval.TaskContext;
import io.shadowkv.eval.needle.NeedlePrompts;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Wraps texts as the official generators do, and counts their tokens.
///
/// @param version whose rules
/// @param maxTokens of prompt and answer together
/// @param newTokens room for the answer
/// @param context the run's format and tokenizer
public record Frame(RulerVersion version, int maxTokens, int newTokens, TaskContext context) {
    public static Frame of(RulerKind kind, TaskContext context) {
        return new Frame(
                RulerVersion.of(context.options().rulerVersion()), context.contextTokens(), kind.newTokens(), context);
    }

    boolean isNvidia() {
        return version == RulerVersion.NVIDIA;
    }

    private PromptFormat format() {
        return context.format();
    }

    /// The named template around the user's words, or null where the model's own format is used.
    @Nullable
    ModelTemplate template() {
        return format() instanceof NamedFormat named ? named.template() : null;
    }

    /// A text in the format's wrapping.
    Draft draft(String user, String prefix, String question, List<String> answers) {
        return new Draft(user, wrap(user), prefix, Sample.Wrapping.CHAT, question, answers, -1);
    }

    /// As [#draft], for a question that has one answer: the official generator's singular meets a named
    /// template too; a model's own wrapping stays as it is.
    Draft singular(String user, String prefix, String question, List<String> answers) {
        ModelTemplate template = template();
        if (template == null || template == ModelTemplate.BASE) {
            return draft(user, prefix, question, answers);
        }
        return whole(
                NeedlePrompts.singular(template.before()) + user + NeedlePrompts.singular(template.after()),
                prefix,
                question,
                answers);
    }

    /// A text that brings its wrapping.
    Draft whole(String input, String prefix, String question, List<String> answers) {
        return new Draft(input, input, prefix, Sample.Wrapping.NONE, question, answers, -1);
    }

    String wrap(String user) {
        return format().wrap(user);
    }

    /// Tokens of a whole prompt, as the run will encode it.
    ///
    /// @param more text that is counted with it
    int tokens(Draft draft, String more) {
        String prompt = draft.input() + draft.prefix() + more;
        return (draft.wrapping() == Sample.Wrapping.NONE ? format().encodeWhole(prompt) : format().encode(prompt))
                .length;
    }

    /// The official length of most tasks' rows.
    int length(Draft draft) {
        return tokens(draft, "") + newTokens;
    }

    /// Tokens of a piece of text.
    int pieceTokens(String piece) {
        return context.tokenizer().encode(piece, false).length;
    }
}
