package io.shadowkv.text.chat;

import io.shadowkv.text.MarkedText;
import io.shadowkv.text.SpecialTokens;
import io.shadowkv.text.jinja.runtime.Strings;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// Finds the positions in a rendered prompt where a message, a tool or a document contains the
/// spelling of a special token. Confined to one rendering.
///
/// Renders the conversation a second time with a mark inside each such spelling; the marks in the
/// output give the positions of the contents. A template may therefore trim, cut or escape its
/// contents. If marks change other output, the template examines that spelling itself (some
/// templates cut an answer at the end of its reasoning); the spelling then means the token, as in
/// transformers.
final class LiteralContents {
    private final Map<String, @Nullable Object> variables;
    private final Function<Map<String, @Nullable Object>, String> template;
    private final SpecialTokens specials;
    /// The spellings found in the contents; the beginning of a spelling at the end of a content is
    /// stored as `""`.
    private final Set<String> found = new LinkedHashSet<>();

    /// @param variables variables of the template; special tokens by role are not contents
    /// @param template renders the variables
    LiteralContents(
            Map<String, @Nullable Object> variables,
            Function<Map<String, @Nullable Object>, String> template,
            SpecialTokens specials) {
        this.variables = variables;
        this.template = template;
        this.specials = specials;
    }

    MarkedText prompt() {
        String text = template.apply(variables);
        Map<String, @Nullable Object> marked = marked(Optional.empty());
        if (found.isEmpty()) {
            return MarkedText.of(text);
        }
        Optional<List<Integer>> all = literals(marked, text);
        if (all.isPresent()) {
            return new MarkedText(text, all.get());
        }
        Set<String> unread = new LinkedHashSet<>();
        List<Integer> literals = List.of();
        for (String spelling : List.copyOf(found)) {
            unread.add(spelling);
            Optional<List<Integer>> more = literals(marked(Optional.of(unread)), text);
            literals = more.orElse(literals);
            if (more.isEmpty()) {
                unread.remove(spelling);
            }
        }
        return new MarkedText(text, literals);
    }

    /// The marked positions; empty if the template writes different text for marked contents.
    private Optional<List<Integer>> literals(Map<String, @Nullable Object> marked, String text) {
        String rendered;
        try {
            rendered = template.apply(marked);
        } catch (ChatTemplateException e) {
            return Optional.empty();
        }
        List<Integer> literals = new ArrayList<>();
        int at = 0;
        for (int i = 0; i < rendered.length(); i++) {
            char character = rendered.charAt(i);
            if (at < text.length() && character == text.charAt(at)) {
                at++;
            } else if (character == Strings.MARK && at > 0) {
                int place = text.offsetByCodePoints(at, -1);
                if (specials.longestAt(text, place) > 0) {
                    literals.add(place);
                }
            } else {
                return Optional.empty();
            }
        }
        return at == text.length() ? Optional.of(literals) : Optional.empty();
    }

    /// The variables with marks in their contents.
    ///
    /// @param spellings the spellings to mark; all if empty
    private Map<String, @Nullable Object> marked(Optional<Set<String>> spellings) {
        Map<String, @Nullable Object> marked = new LinkedHashMap<>(variables);
        marked.replaceAll((name, value) -> {
            boolean isToken = name.endsWith("_token") || name.endsWith("_tokens");
            return isToken ? value : marked(value, spellings);
        });
        return marked;
    }

    private @Nullable Object marked(@Nullable Object value, Optional<Set<String>> spellings) {
        return switch (value) {
            case String text -> marked(text, spellings);
            case List<?> list -> {
                List<@Nullable Object> copy = new ArrayList<>(list);
                copy.replaceAll(item -> marked(item, spellings));
                yield copy;
            }
            case Map<?, ?> map -> {
                Map<@Nullable Object, @Nullable Object> copy = new LinkedHashMap<>();
                map.forEach((key, item) -> {
                    // Templates build special tokens from roles: <|user|>.
                    boolean isRole = "role".equals(key);
                    copy.put(marked(key, spellings), isRole ? item : marked(item, spellings));
                });
                yield copy;
            }
            case null, default -> value;
        };
    }

    /// The text with a mark after the first character of each spelling.
    private String marked(String text, Optional<Set<String>> spellings) {
        StringBuilder marked = new StringBuilder(text.length());
        int copied = 0;
        for (int at = 0; at < text.length(); at++) {
            int length = specials.longestAt(text, at);
            // The template's own text could complete an incomplete spelling.
            boolean isSpelling = length > 0 || specials.isCutAt(text, at);
            String spelling = text.substring(at, at + length);
            if (isSpelling && spellings.isEmpty()) {
                found.add(spelling);
            }
            if (isSpelling && (spellings.isEmpty() || spellings.get().contains(spelling))) {
                int behind = text.offsetByCodePoints(at, 1);
                marked.append(text, copied, behind).append(Strings.MARK);
                copied = behind;
            }
        }
        return copied == 0 ? text : marked.append(text, copied, text.length()).toString();
    }
}
