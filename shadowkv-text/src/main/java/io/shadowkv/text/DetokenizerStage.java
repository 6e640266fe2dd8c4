package io.shadowkv.text;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.function.Consumer;

/// One step of converting tokens to text, as listed in the `decoder` of a `tokenizer.json`;
/// receives one token at a time.
///
/// A stage passes on text that later tokens can no longer change, and holds the rest. Confined to
/// one thread.
public sealed interface DetokenizerStage {
    void push(String piece, Consumer<String> next);

    /// Passes on the held text and resets the stage.
    void finish(Consumer<String> next);

    /// Converts bytes of the byte-level alphabet to characters across tokens.
    final class ByteLevel implements DetokenizerStage {
        private final Utf8Assembler assembler = new Utf8Assembler();

        @Override
        public void push(String piece, Consumer<String> next) {
            StringBuilder text = new StringBuilder();
            assembler.push(ByteAlphabet.bytes(piece), text);
            next.accept(text.toString());
        }

        @Override
        public void finish(Consumer<String> next) {
            StringBuilder text = new StringBuilder();
            assembler.finish(text);
            next.accept(text.toString());
        }
    }

    /// Replaces a string within each token.
    record Replace(String pattern, String content) implements DetokenizerStage {
        @Override
        public void push(String piece, Consumer<String> next) {
            next.accept(replaced(piece));
        }

        String replaced(String piece) {
            return piece.replace(pattern, content);
        }

        @Override
        public void finish(Consumer<String> next) {}
    }

    /// Converts a run of `<0x41>` tokens to characters if the whole run is valid UTF-8, otherwise
    /// to one U+FFFD per byte. Therefore it holds the bytes of a run until the run ends.
    final class ByteFallback implements DetokenizerStage {
        private final ByteArrayOutputStream run = new ByteArrayOutputStream();

        @Override
        public void push(String piece, Consumer<String> next) {
            int value = value(piece);
            if (value >= 0) {
                run.write(value);
            } else {
                finish(next);
                next.accept(piece);
            }
        }

        @Override
        public void finish(Consumer<String> next) {
            if (run.size() > 0) {
                StringBuilder text = new StringBuilder();
                Utf8Assembler assembler = new Utf8Assembler();
                assembler.push(run.toByteArray(), text);
                assembler.finish(text);
                boolean isValid =
                        Arrays.equals(run.toByteArray(), text.toString().getBytes(StandardCharsets.UTF_8));
                next.accept(isValid ? text.toString() : "\ufffd".repeat(run.size()));
                run.reset();
            }
        }

        /// The byte that a token stands for, or -1.
        static int value(String piece) {
            if (piece.length() != 6 || !piece.startsWith("<0x") || !piece.endsWith(">")) {
                return -1;
            }
            boolean isHex = HexFormat.isHexDigit(piece.charAt(3)) && HexFormat.isHexDigit(piece.charAt(4));
            return isHex ? HexFormat.fromHexDigits(piece, 3, 5) : -1;
        }
    }

    /// Removes up to `start` leading and `stop` trailing `content` characters from each token, or
    /// from the whole text after `Fuse`.
    final class Strip implements DetokenizerStage {
        private final int content;
        private final int start;
        private final int stop;
        private final boolean isFused;
        private int left;
        /// Trailing characters to remove if nothing follows.
        private String held = "";

        Strip(int content, int start, int stop, boolean isFused) {
            this.content = content;
            this.start = start;
            this.stop = stop;
            this.isFused = isFused;
            this.left = start;
        }

        @Override
        public void push(String piece, Consumer<String> next) {
            int from = 0;
            while (left > 0 && from < piece.length()) {
                if (piece.codePointAt(from) == content) {
                    from += Character.charCount(content);
                    left--;
                } else {
                    left = 0;
                }
            }
            String text = held + piece.substring(from);
            int end = text.length();
            for (int i = 0; i < stop && end > 0 && text.codePointBefore(end) == content; i++) {
                end -= Character.charCount(content);
            }
            held = text.substring(end);
            next.accept(text.substring(0, end));
            if (!isFused) {
                finish(next);
            }
        }

        @Override
        public void finish(Consumer<String> next) {
            left = start;
            held = "";
        }

        boolean isFused() {
            return isFused;
        }

        /// What stays of a token in the middle of a text: a fused text is stripped at its ends only.
        String behindOthers(String piece) {
            if (isFused) {
                return piece;
            }
            StringBuilder rest = new StringBuilder();
            Strip fresh = new Strip(content, start, stop, false);
            fresh.push(piece, rest::append);
            return rest.toString();
        }
    }

    /// Converts `▁` to a blank, and removes it from the first token if the encoder had added it.
    final class Metaspace implements DetokenizerStage {
        private final String replacement;
        private final boolean isPrepended;
        private boolean isFirst = true;

        Metaspace(String replacement, boolean isPrepended) {
            this.replacement = replacement;
            this.isPrepended = isPrepended;
        }

        @Override
        public void push(String piece, Consumer<String> next) {
            next.accept(isFirst && isPrepended ? piece.replace(replacement, "") : behindOthers(piece));
            isFirst = false;
        }

        String behindOthers(String piece) {
            return piece.replace(replacement, " ");
        }

        @Override
        public void finish(Consumer<String> next) {
            isFirst = true;
        }
    }

    /// Inserts a blank between tokens, for a tokenizer without a decoder.
    final class Blanks implements DetokenizerStage {
        private boolean isFirst = true;

        @Override
        public void push(String piece, Consumer<String> next) {
            next.accept(isFirst ? piece : " " + piece);
            isFirst = false;
        }

        @Override
        public void finish(Consumer<String> next) {
            isFirst = true;
        }
    }
}
