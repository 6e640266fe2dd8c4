package io.shadowkv.text;

/// Decodes characters from bytes that arrive in pieces.
///
/// Undecodable bytes become U+FFFD, one per longest prefix of a character (Unicode's "maximal
/// subpart", like Rust's `from_utf8_lossy` and Python's `errors="replace"`). Java's own decoder
/// cannot be used, because it replaces an encoded surrogate by one U+FFFD instead of three.
/// Confined to one thread.
final class Utf8Assembler {
    private int codePoint;
    private int missing;
    /// Bounds of the next continuation byte; tighter than 80..BF after E0, ED, F0 and F4.
    private int lowest;

    private int highest;

    /// Appends the characters that `bytes` complete.
    void push(byte[] bytes, StringBuilder text) {
        for (byte signed : bytes) {
            int value = signed & 0xff;
            if (missing > 0 && value >= lowest && value <= highest) {
                proceed(value, text);
            } else {
                finish(text);
                begin(value, text);
            }
        }
    }

    /// Appends U+FFFD if a character is unfinished, and discards its bytes.
    void finish(StringBuilder text) {
        if (missing > 0) {
            text.append('\ufffd');
            missing = 0;
        }
    }

    private void proceed(int value, StringBuilder text) {
        codePoint = codePoint << 6 | value & 0x3f;
        lowest = 0x80;
        highest = 0xbf;
        missing--;
        if (missing == 0) {
            text.appendCodePoint(codePoint);
        }
    }

    private void begin(int value, StringBuilder text) {
        if (value < 0x80) {
            text.append((char) value);
        } else if (value < 0xc2 || value > 0xf4) {
            text.append('\ufffd');
        } else {
            missing = value < 0xe0 ? 1 : value < 0xf0 ? 2 : 3;
            codePoint = value & 0x3f >> missing;
            lowest = value == 0xe0 ? 0xa0 : value == 0xf0 ? 0x90 : 0x80;
            highest = value == 0xed ? 0x9f : value == 0xf4 ? 0x8f : 0xbf;
        }
    }
}
