package io.shadowkv.hub;

import java.util.Locale;
import java.util.Optional;

/// A secret that identifies an account to a hub. It is sent to the hub and never shown.
public final class HubToken {
    private final String value;
    private final String source;

    private HubToken(String value, String source) {
        this.value = value;
        this.source = source;
    }

    /// The token in `text`, without surrounding white space; empty if there is nothing else.
    ///
    /// @param source its origin for messages: a variable or a file
    /// @throws IllegalArgumentException if it contains a character that tokens cannot contain; the
    ///     message does not repeat it
    public static Optional<HubToken> of(String text, String source) {
        String value = text.strip();
        for (int i = 0; i < value.length(); i++) {
            char character = value.charAt(i);
            if (character <= ' ' || character > '~') {
                throw new IllegalArgumentException(String.format(
                        Locale.ROOT,
                        "%s: character %d of the token is U+%04X, which a token cannot contain; set it to one line of letters,"
                                + " digits and signs, as the hub shows it",
                        source,
                        i + 1,
                        (int) character));
            }
        }
        return value.isEmpty() ? Optional.empty() : Optional.of(new HubToken(value, source));
    }

    String value() {
        return value;
    }

    /// The origin of the token.
    String source() {
        return source;
    }

    /// Returns `text` without the token, which a server may repeat.
    String hiddenIn(String text) {
        return text.replace(value, "…");
    }

    @Override
    public String toString() {
        return "token from " + source;
    }
}
