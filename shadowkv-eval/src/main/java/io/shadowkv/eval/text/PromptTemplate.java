package io.shadowkv.eval.text;

import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// A published prompt with placeholders for a sample's fields, such as `{context}`.
///
/// @param text the text in its source
public record PromptTemplate(String text) {
    private static final Pattern PLACE = Pattern.compile("\\{(\\w+)}");

    /// Fills every placeholder at once: braces in a value stay unchanged.
    ///
    /// @throws IllegalArgumentException if a placeholder has no value
    public String fill(Map<String, String> values) {
        StringBuilder filled = new StringBuilder();
        Matcher place = PLACE.matcher(text);
        int end = 0;
        while (place.find()) {
            String value = values.get(place.group(1));
            if (value == null) {
                throw new IllegalArgumentException("the prompt has a placeholder for " + place.group() + "; given were "
                        + String.join(", ", values.keySet()));
            }
            filled.append(text, end, place.start()).append(value);
            end = place.end();
        }
        return filled.append(text, end, text.length()).toString();
    }
}
