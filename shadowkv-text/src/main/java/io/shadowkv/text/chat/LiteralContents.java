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

/// Finds the places of a rendered prompt where a message, a tool or a document spells a special token. Confined to
/// one rendering.
///
/// The conversation is rendered once more with a mark inside each such spelling; where the marks come out, there the
/// words of the contents are. So a template may trim, cut or escape what it is given. Should marks change what the
/// template writes besides, it reads that spelling itself (as some cut an answer at the end of its thoughts): then
/// the spelling means the token, as it does in transformers.
final class LiteralContents {
    private final Map<String, @Nullable Object> variables;
    private final Function<Map<String, @Nullable Object>, String> template;
    private final SpecialTokens specials;
    /// What the contents spell, found on the way; a beginning of a spelling that ends a content stands as `""`.
    private final Set<String> found = new LinkedHashSet<>();

    /// @param variables the template's; special tokens by their roles are its own words, not contents
    /// @param template renders variables
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

    /// The marked places, or nothing if the template writes something else for marked contents.
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
    /// @param spellings those to mark; all where there are none
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
                    // Templates make marks of roles: <|user|>.
                    boolean isRole = "role".equals(key);
                    copy.put(marked(key, spellings), isRole ? item : marked(item, spellings));
                });
                yield copy;
            }
            case null, default -> value;
        };
    }

    /// The text with a mark behind the first character of each spelling.
    private String marked(String text, Optional<Set<String>> spellings) {
        StringBuilder marked = new StringBuilder(text.length());
        int copied = 0;
        for (int at = 0; at < text.length(); at++) {
            int length = specials.longestAt(text, at);
            // Half a spelling could be completed by what the template puts behind it.
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
