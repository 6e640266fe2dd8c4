package io.shadowkv.engine.answer;

import java.util.List;
import java.util.function.Predicate;

/// Finds stop strings in streamed text; holds back text that might be the beginning of one.
///
/// Special tokens are searched but not shown. A stop string that spells a special token is searched
/// for in shown and hidden characters, any other one in shown characters only.
public final class StopStrings {
    private static final char SHOWN = '+';
    private static final char HIDDEN = '-';

    private final List<String> marked;
    private final List<String> plain;
    private final StringBuilder held = new StringBuilder();
    /// For each held character, whether it is shown.
    private final StringBuilder flags = new StringBuilder();
    private boolean found;

    /// @param spellsToken tests whether a stop string spells a special token
    StopStrings(List<String> stops, Predicate<String> spellsToken) {
        this.marked = stops.stream().filter(spellsToken).toList();
        this.plain = stops.stream().filter(spellsToken.negate()).toList();
    }

    /// Adds text and returns the text that is certain to precede any stop string.
    String push(String text) {
        return push(text, SHOWN);
    }

    /// Adds the spelling of a special token, which is not shown.
    String pushToken(String spelling) {
        return marked.isEmpty() ? "" : push(spelling, HIDDEN);
    }

    private String push(String text, char flag) {
        if (found) {
            return "";
        }
        held.append(text);
        flags.repeat(flag, text.length());
        int at = firstStop();
        if (at >= 0) {
            found = true;
            return release(at);
        }
        return release(possibleStart());
    }

    /// True once a stop string has appeared.
    boolean isFound() {
        return found;
    }

    /// Returns the text that was held back, if it did not become a stop string.
    String finish() {
        return found ? "" : release(held.length());
    }

    private int firstStop() {
        String shown = shown(held.length());
        int first = Integer.MAX_VALUE;
        for (String stop : marked) {
            int at = held.indexOf(stop);
            first = at < 0 ? first : Math.min(first, at);
        }
        for (String stop : plain) {
            int at = shown.indexOf(stop);
            first = at < 0 ? first : Math.min(first, place(at));
        }
        return first == Integer.MAX_VALUE ? -1 : first;
    }

    /// Start of the longest suffix of the held text that is the beginning of a stop string; the
    /// length of the text if there is none.
    private int possibleStart() {
        String shown = shown(held.length());
        int ofMarked = held.length() - longestEnd(held, marked);
        int ofPlain = place(shown.length() - longestEnd(shown, plain));
        return Math.min(ofMarked, ofPlain);
    }

    private static int longestEnd(CharSequence text, List<String> stops) {
        int longest = 0;
        for (String stop : stops) {
            for (int length = Math.min(stop.length() - 1, text.length()); length > longest; length--) {
                if (stop.startsWith(
                        text.subSequence(text.length() - length, text.length()).toString())) {
                    longest = length;
                }
            }
        }
        return longest;
    }

    private String shown(int length) {
        if (flags.indexOf(String.valueOf(HIDDEN)) < 0) {
            return held.substring(0, length);
        }
        StringBuilder shown = new StringBuilder();
        for (int i = 0; i < length; i++) {
            if (flags.charAt(i) == SHOWN) {
                shown.append(held.charAt(i));
            }
        }
        return shown.toString();
    }

    /// Position in the held text of the shown character with a given index.
    private int place(int number) {
        int seen = 0;
        for (int i = 0; i < flags.length(); i++) {
            if (flags.charAt(i) == SHOWN && seen++ == number) {
                return i;
            }
        }
        return flags.length();
    }

    private String release(int length) {
        String text = shown(length);
        held.delete(0, length);
        flags.delete(0, length);
        return text;
    }
}
