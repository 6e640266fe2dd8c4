package io.shadowkv.text;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;

/// The bytes that a token adds to a text behind other tokens. Immutable.
///
/// What a decoder does to the first token only (a blank that the encoder had put in front vanishes)
/// is left out.
public final class TokenBytes {
    private final List<DetokenizerStage> stages;

    private TokenBytes(List<DetokenizerStage> stages) {
        this.stages = stages;
    }

    /// The bytes of the tokens that stages turn into text; nothing if a stage would change the text
    /// behind the one that makes bytes.
    public static Optional<TokenBytes> of(List<DetokenizerStage> stages) {
        boolean areBytes = false;
        for (DetokenizerStage stage : stages) {
            if (areBytes && !(stage instanceof DetokenizerStage.Strip strip && strip.isFused())) {
                return Optional.empty();
            }
            areBytes |= stage instanceof DetokenizerStage.ByteLevel || stage instanceof DetokenizerStage.ByteFallback;
        }
        return Optional.of(new TokenBytes(List.copyOf(stages)));
    }

    /// The bytes of a token; they may be part of a character.
    public byte[] bytes(String token) {
        String piece = token;
        for (DetokenizerStage stage : stages) {
            switch (stage) {
                case DetokenizerStage.ByteLevel bytes -> {
                    return ByteAlphabet.bytes(piece);
                }
                case DetokenizerStage.ByteFallback fallback -> {
                    int value = DetokenizerStage.ByteFallback.value(piece);
                    if (value >= 0) {
                        return new byte[] {(byte) value};
                    }
                }
                case DetokenizerStage.Replace replace -> piece = replace.replaced(piece);
                case DetokenizerStage.Metaspace metaspace -> piece = metaspace.behindOthers(piece);
                case DetokenizerStage.Strip strip -> piece = strip.behindOthers(piece);
                case DetokenizerStage.Blanks blanks -> piece = " " + piece;
            }
        }
        return piece.getBytes(StandardCharsets.UTF_8);
    }
}
