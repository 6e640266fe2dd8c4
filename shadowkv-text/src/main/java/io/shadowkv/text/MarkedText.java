package io.shadowkv.text;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/// A text in which the spelling of a special token means that token, except at some positions where
/// it is ordinary text: what a user wrote in a message must not end the turn.
///
/// @param text the whole text
/// @param literals offsets in ascending order; the spelling of a special token that begins there is
///     text
public record MarkedText(String text, List<Integer> literals) {
    public MarkedText {
        literals = List.copyOf(literals);
    }

    /// Creates a text in which every spelling of a special token means that token.
    public static MarkedText of(String text) {
        return new MarkedText(text, List.of());
    }

    /// Creates a text in which no spelling does.
    public static MarkedText literal(String text, SpecialTokens specials) {
        List<Integer> literals = new ArrayList<>();
        for (int at = 0; at < text.length(); at++) {
            if (specials.longestAt(text, at) > 0 || specials.isCutAt(text, at)) {
                literals.add(at);
            }
        }
        return new MarkedText(text, literals);
    }

    public MarkedText followedBy(String more) {
        return followedBy(of(more));
    }

    public MarkedText followedBy(MarkedText more) {
        Stream<Integer> moved = more.literals.stream().map(at -> at + text.length());
        return new MarkedText(
                text + more.text, Stream.concat(literals.stream(), moved).toList());
    }

    /// The text from an offset on.
    public MarkedText from(int begin) {
        return new MarkedText(
                text.substring(begin),
                literals.stream()
                        .filter(at -> at >= begin)
                        .map(at -> at - begin)
                        .toList());
    }
}
