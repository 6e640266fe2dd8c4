package io.shadowkv.text.grammar.regex;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;

/// Recognises bytes that are whole characters which need no escape in a JSON string.
public final class PlainText {
    public static final int NOT_PLAIN = -1;

    private PlainText() {}

    /// The number of characters, or [#NOT_PLAIN].
    public static int characters(byte[] bytes) {
        int count = 0;
        for (byte value : bytes) {
            if (value >= 0 && value < ' ' || value == '"' || value == '\\') {
                return NOT_PLAIN;
            }
            // Bytes 80 to BF go on with a character.
            count += value >= (byte) 0xc0 ? 1 : 0;
        }
        try {
            StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes));
        } catch (CharacterCodingException e) {
            return NOT_PLAIN;
        }
        return count;
    }
}
