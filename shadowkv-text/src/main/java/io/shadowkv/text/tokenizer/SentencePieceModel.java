package io.shadowkv.text.tokenizer;

import io.shadowkv.text.TokenizerException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// A SentencePiece `tokenizer.model`: the fields of its ModelProto (sentencepiece_model.proto) that
/// determine the tokens.
///
/// @param file the file that was read, for messages
/// @param modelType 1 unigram, 2 BPE, 3 word, 4 character
/// @param normalizer the normalizer's name (`identity`, `nmt_nfkc` …)
record SentencePieceModel(
        Path file,
        List<Piece> pieces,
        int modelType,
        boolean byteFallback,
        String normalizer,
        boolean addDummyPrefix,
        boolean removeExtraWhitespaces) {

    /// A piece; its id is its position.
    ///
    /// @param type 1 normal, 2 unknown, 3 control, 4 user-defined, 5 unused, 6 byte
    record Piece(String text, float score, int type) {}

    /// @throws TokenizerException if the bytes are not a ModelProto
    static SentencePieceModel read(byte[] bytes, Path file) {
        try {
            Reading reading = new Reading();
            new Message(ByteBuffer.wrap(bytes)).forEach(reading::field);
            if (reading.pieces.isEmpty()) {
                throw new IllegalArgumentException("it contains no pieces");
            }
            return reading.model(file);
        } catch (IllegalArgumentException e) {
            throw new TokenizerException(
                    file + ": is neither a rank file nor a SentencePiece model: " + e.getMessage()
                            + ". Download the file again (a Git LFS pointer is a text of three lines)",
                    e);
        }
    }

    private interface FieldReader {
        void field(int number, long value, @Nullable ByteBuffer content);
    }

    private static final class Reading {
        private final List<Piece> pieces = new ArrayList<>();
        /// Fields that are not set have the schema's defaults.
        private int modelType = 1;

        private boolean byteFallback;
        private String normalizer = "identity";
        private boolean addDummyPrefix = true;
        private boolean removeExtraWhitespaces = true;

        private SentencePieceModel model(Path file) {
            return new SentencePieceModel(
                    file,
                    List.copyOf(pieces),
                    modelType,
                    byteFallback,
                    normalizer,
                    addDummyPrefix,
                    removeExtraWhitespaces);
        }

        private void field(int number, long ignored, @Nullable ByteBuffer content) {
            if (content != null) {
                switch (number) {
                    case 1 -> pieces.add(piece(content));
                    case 2 -> new Message(content).forEach(this::trainerField);
                    case 3 -> new Message(content).forEach(this::normalizerField);
                    default -> {}
                }
            }
        }

        private void trainerField(int number, long value, @Nullable ByteBuffer content) {
            switch (number) {
                case 3 -> modelType = (int) value;
                case 35 -> byteFallback = value != 0;
                default -> {}
            }
        }

        private void normalizerField(int number, long value, @Nullable ByteBuffer content) {
            switch (number) {
                case 1 -> normalizer = content == null ? "" : text(content);
                case 3 -> addDummyPrefix = value != 0;
                case 4 -> removeExtraWhitespaces = value != 0;
                default -> {}
            }
        }

        private static Piece piece(ByteBuffer message) {
            String[] text = {""};
            float[] score = {0};
            int[] type = {1};
            new Message(message).forEach((number, value, content) -> {
                switch (number) {
                    case 1 -> text[0] = content == null ? "" : text(content);
                    case 2 -> score[0] = Float.intBitsToFloat((int) value);
                    case 3 -> type[0] = (int) value;
                    default -> {}
                }
            });
            return new Piece(text[0], score[0], type[0]);
        }

        private static String text(ByteBuffer content) {
            return StandardCharsets.UTF_8.decode(content.duplicate()).toString();
        }
    }

    /// The fields of one protocol-buffers message in wire order.
    private record Message(ByteBuffer bytes) {
        private void forEach(FieldReader reader) {
            ByteBuffer buffer = bytes.duplicate().order(ByteOrder.LITTLE_ENDIAN);
            while (buffer.hasRemaining()) {
                long tag = varint(buffer);
                int number = (int) (tag >>> 3);
                switch ((int) tag & 7) {
                    case 0 -> reader.field(number, varint(buffer), null);
                    case 1 -> reader.field(number, take(buffer, 8).getLong(), null);
                    case 2 -> reader.field(number, 0, take(buffer, varint(buffer)));
                    case 5 -> reader.field(number, take(buffer, 4).getInt(), null);
                    default ->
                        throw new IllegalArgumentException("byte " + buffer.position() + " has wire type " + (tag & 7)
                                + ", which ModelProto does not use");
                }
            }
        }

        private static ByteBuffer take(ByteBuffer buffer, long length) {
            if (length < 0 || length > buffer.remaining()) {
                throw new IllegalArgumentException("byte " + buffer.position() + " begins a field of "
                        + Long.toUnsignedString(length) + " bytes, but " + buffer.remaining() + " are left");
            }
            ByteBuffer content = buffer.slice(buffer.position(), (int) length).order(ByteOrder.LITTLE_ENDIAN);
            buffer.position(buffer.position() + (int) length);
            return content;
        }

        private static long varint(ByteBuffer buffer) {
            long value = 0;
            for (int shift = 0; shift < 64; shift += 7) {
                byte next = take(buffer, 1).get();
                value |= (long) (next & 0x7f) << shift;
                if (next >= 0) {
                    return value;
                }
            }
            throw new IllegalArgumentException("byte " + buffer.position() + " ends a number of more than 10 bytes");
        }
    }
}
