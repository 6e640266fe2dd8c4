package io.shadowkv.cli.process;

import io.shadowkv.text.Tokenizer;
import java.io.PrintWriter;

/// Notes about prompts that bring special tokens of their own, as a prompt does that was copied with its template.
public final class PastedTemplate {
    private PastedTemplate() {}

    /// Says where the beginning would be read twice.
    ///
    /// @param prompt read as it is, with what the tokenizer puts in front
    public static void noteRaw(String prompt, Tokenizer tokenizer, PrintWriter err) {
        if (tokenizer.beginsTwice(prompt)) {
            err.println(
                    "note: the prompt begins with " + beginning(prompt, tokenizer) + ", and the tokenizer puts it in"
                            + " front once more, so the model reads it twice. Leave it out of the prompt");
            err.flush();
        }
    }

    /// Says where special tokens are read as text.
    ///
    /// @param words of a user's turn, around which the chat template goes
    public static void noteTurn(String words, Tokenizer tokenizer, PrintWriter err) {
        String beginning = beginning(words, tokenizer);
        if (!beginning.isEmpty()) {
            err.println("note: the prompt begins with " + beginning + ", which is read as text, since the model's chat"
                    + " template goes around the prompt. Leave the template out of it, or give it with --raw");
            err.flush();
        }
    }

    private static String beginning(String text, Tokenizer tokenizer) {
        return text.substring(0, tokenizer.specialTokens().longestAt(text, 0));
    }
}
