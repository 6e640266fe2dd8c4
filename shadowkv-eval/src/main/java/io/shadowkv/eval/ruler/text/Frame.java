package io.shadowkv.eval.ruler.text;

import io.shadowkv.eval.ModelTemplate;
import io.shadowkv.eval.NamedFormat;
import io.shadowkv.eval.PromptFormat;
import io.shadowkv.eval.Sample;
import io.shadowkv.eval.TaskContext;
import io.shadowkv.eval.needle.NeedlePrompts;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Adds the template to texts as the official generators do, and counts their tokens.
///
/// @param version whose rules apply
/// @param maxTokens maximum tokens of prompt and answer together
/// @param newTokens maximum length of the answer
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

    /// The template around the user's message if it is one of the paper's, otherwise null (the
    /// model's own format is used).
    @Nullable
    ModelTemplate template() {
        return format() instanceof NamedFormat named ? named.template() : null;
    }

    /// A text in the format's template.
    Draft draft(String user, String prefix, String question, List<String> answers) {
        return new Draft(user, wrap(user), prefix, Sample.Wrapping.CHAT, question, answers, -1);
    }

    /// As [#draft], for a question with one answer: the official generator's singular also changes
    /// one of the paper's templates; the model's own template does not change.
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

    /// A text that includes its template.
    Draft whole(String input, String prefix, String question, List<String> answers) {
        return new Draft(input, input, prefix, Sample.Wrapping.NONE, question, answers, -1);
    }

    String wrap(String user) {
        return format().wrap(user);
    }

    /// Tokens of a whole prompt, as the run will encode it.
    ///
    /// @param more text that is counted together with it
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
