package io.shadowkv.eval.text;

import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// A published prompt with places for a sample's fields, written `{context}`.
///
/// @param text as its source has it
public record PromptTemplate(String text) {
    private static final Pattern PLACE = Pattern.compile("\\{(\\w+)}");

    /// The prompt with every place filled at once: braces in a value stay what they are.
    ///
    /// @throws IllegalArgumentException if a place has no value
    public String fill(Map<String, String> values) {
        StringBuilder filled = new StringBuilder();
        Matcher place = PLACE.matcher(text);
        int end = 0;
        while (place.find()) {
            String value = values.get(place.group(1));
            if (value == null) {
                throw new IllegalArgumentException("the prompt has a place for " + place.group() + "; given were "
                        + String.join(", ", values.keySet()));
            }
            filled.append(text, end, place.start()).append(value);
            end = place.end();
        }
        return filled.append(text, end, text.length()).toString();
    }
}
