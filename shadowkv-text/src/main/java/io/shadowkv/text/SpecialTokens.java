package io.shadowkv.text;

import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// The spellings of a tokenizer's special tokens, for finding them in texts. Immutable.
public final class SpecialTokens {
    private final List<String> spellings;
    private final Node root = new Node();

    /// A common prefix of spellings; the children are the possible next characters.
    private static final class Node {
        private final Map<Character, Node> next = new HashMap<>();
        private boolean isWhole;
    }

    private SpecialTokens(List<String> spellings) {
        this.spellings = spellings;
        for (String spelling : spellings) {
            Node node = root;
            for (int i = 0; i < spelling.length(); i++) {
                node = node.next.computeIfAbsent(spelling.charAt(i), character -> new Node());
            }
            node.isWhole = true;
        }
    }

    public static SpecialTokens of(Collection<String> spellings) {
        return new SpecialTokens(spellings.stream()
                .filter(spelling -> !spelling.isEmpty())
                .distinct()
                .toList());
    }

    public List<String> spellings() {
        return spellings;
    }

    /// Length of the longest spelling that begins at an offset, or 0.
    public int longestAt(CharSequence text, int at) {
        int longest = 0;
        Node node = root;
        for (int i = at; i < text.length(); i++) {
            Node next = node.next.get(text.charAt(i));
            if (next == null) {
                break;
            }
            node = next;
            longest = node.isWhole ? i + 1 - at : longest;
        }
        return longest;
    }

    /// True if the text, without trailing blanks, ends inside a spelling that begins at the offset.
    public boolean isCutAt(String text, int at) {
        Node node = root;
        int end = at;
        while (end < text.length()) {
            Node next = node.next.get(text.charAt(end));
            if (next == null) {
                break;
            }
            node = next;
            end++;
        }
        boolean isBegun = end > at && !node.next.isEmpty();
        while (isBegun && end < text.length() && Character.isWhitespace(text.charAt(end))) {
            end++;
        }
        return isBegun && end == text.length();
    }

    /// True if a text contains the spelling of a special token.
    public boolean isIn(CharSequence text) {
        for (int at = 0; at < text.length(); at++) {
            if (longestAt(text, at) > 0) {
                return true;
            }
        }
        return false;
    }
}
