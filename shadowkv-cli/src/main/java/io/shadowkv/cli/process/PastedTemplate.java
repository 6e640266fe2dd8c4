package io.shadowkv.cli.process;

import io.shadowkv.text.Tokenizer;
import java.io.PrintWriter;

/// Notes about prompts that contain special tokens, such as a prompt pasted with its template.
public final class PastedTemplate {
    private PastedTemplate() {}

    /// Prints a note if the model would read the beginning-of-sequence token twice.
    ///
    /// @param prompt a raw prompt; the tokenizer adds its own tokens in front
    public static void noteRaw(String prompt, Tokenizer tokenizer, PrintWriter err) {
        if (tokenizer.beginsTwice(prompt)) {
            err.println("note: the prompt begins with " + beginning(prompt, tokenizer) + ", and the tokenizer adds it"
                    + " again, so that the model reads it twice. Leave it out of the prompt");
            err.flush();
        }
    }

    /// Prints a note if special tokens of the prompt are read as text.
    ///
    /// @param words text of a user's turn, to which the chat template is applied
    public static void noteTurn(String words, Tokenizer tokenizer, PrintWriter err) {
        String beginning = beginning(words, tokenizer);
        if (!beginning.isEmpty()) {
            err.println("note: the prompt begins with " + beginning + ", which is read as text, since the model's chat"
                    + " template is applied to the prompt. Leave it out of the prompt, or use --raw");
            err.flush();
        }
    }

    private static String beginning(String text, Tokenizer tokenizer) {
        return text.substring(0, tokenizer.specialTokens().longestAt(text, 0));
    }
}
