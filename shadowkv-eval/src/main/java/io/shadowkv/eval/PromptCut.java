package io.shadowkv.eval;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// How prompts of LongBench and LongBench v2 that are too long are cut; always in the middle.
///
/// @param kind what determines the limit
/// @param tokens limit of a prompt without its template; 0 unless the kind is [Kind#TOKENS]
public record PromptCut(Kind kind, int tokens) {
    /// Cuts prompts to the room that the context length leaves.
    public static final PromptCut TO_LENGTH = new PromptCut(Kind.LENGTH, 0);

    /// Cuts prompts to the fixed limits of the official scripts.
    public static final PromptCut OFFICIAL = new PromptCut(Kind.OFFICIAL, 0);

    private static final Pattern TOKENS = Pattern.compile("[1-9]\\d{0,8}");

    /// What determines the limit of a prompt.
    public enum Kind {
        LENGTH,
        OFFICIAL,
        TOKENS
    }

    public PromptCut {
        if (tokens < 0 || tokens > 0 != (kind == Kind.TOKENS)) {
            throw new IllegalArgumentException("a cut by " + kind + " has " + tokens + " tokens");
        }
    }

    /// Parses the option's value.
    ///
    /// @param text `length`, `official` or a number of tokens
    /// @throws IllegalArgumentException if it is none of them
    public static PromptCut parse(String text) {
        Matcher tokens = TOKENS.matcher(text);
        if (tokens.matches()) {
            return new PromptCut(Kind.TOKENS, Integer.parseInt(text));
        }
        return switch (text) {
            case "length" -> TO_LENGTH;
            case "official" -> OFFICIAL;
            default ->
                throw new IllegalArgumentException("\"" + text
                        + "\" is not a cut; expected length, official, or a number of tokens such as 31500");
        };
    }

    @Override
    public String toString() {
        return switch (kind) {
            case LENGTH -> "length";
            case OFFICIAL -> "official";
            case TOKENS -> Integer.toString(tokens);
        };
    }

    /// The fixed limit of a task's prompts; [Integer#MAX_VALUE] if the context length determines
    /// it.
    ///
    /// @param official the official script's limit at this length; 0 if it has none
    /// @param newTokens room for the answer
    /// @param contextTokens maximum length of prompt and answer together
    /// @throws IllegalArgumentException if the limit and the answer exceed the length
    public int limit(String task, int official, int newTokens, int contextTokens) {
        int limit = switch (kind) {
            case LENGTH -> Integer.MAX_VALUE;
            case OFFICIAL -> official;
            case TOKENS -> tokens;
        };
        boolean fits = limit == Integer.MAX_VALUE || limit > 0 && (long) limit + newTokens <= contextTokens;
        if (!fits) {
            String asked = limit == 0
                    ? "the official script has no limit for a context of %,d tokens".formatted(contextTokens)
                    : "prompts of %,d tokens and answers of %,d do not fit %,d"
                            .formatted(limit, newTokens, contextTokens);
            throw new IllegalArgumentException(task + ": " + asked + ". Give a longer --length, or another --cut");
        }
        return limit;
    }
}
