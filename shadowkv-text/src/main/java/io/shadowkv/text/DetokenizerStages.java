package io.shadowkv.text;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import tools.jackson.databind.JsonNode;

/// Reads the `decoder` of a `tokenizer.json` as stages that receive one token at a time.
public final class DetokenizerStages {
    private final List<DetokenizerStage> stages = new ArrayList<>();
    private boolean isFused;

    private DetokenizerStages() {}

    /// Creates stages for one sequence; returns nothing if the decoder has a step that needs the
    /// whole text.
    public static Optional<List<DetokenizerStage>> of(JsonNode decoder) {
        DetokenizerStages reading = new DetokenizerStages();
        if (decoder.isNull() || decoder.isMissingNode()) {
            return Optional.of(List.of(new DetokenizerStage.Blanks()));
        }
        return reading.add(decoder) ? Optional.of(reading.stages) : Optional.empty();
    }

    private boolean add(JsonNode decoder) {
        switch (decoder.path("type").asString("")) {
            case "Sequence" -> {
                for (JsonNode step : decoder.path("decoders")) {
                    if (!add(step)) {
                        return false;
                    }
                }
                return true;
            }
            case "ByteLevel" -> {
                stages.add(new DetokenizerStage.ByteLevel());
                isFused = true;
                return true;
            }
            case "ByteFallback" -> {
                return !isFused && stages.add(new DetokenizerStage.ByteFallback());
            }
            case "Fuse" -> {
                isFused = true;
                return true;
            }
            case "Replace" -> {
                return addReplace(decoder);
            }
            case "Strip" -> {
                String content = decoder.path("content").asString("");
                boolean isOneCharacter = content.codePointCount(0, content.length()) == 1;
                return isOneCharacter
                        && stages.add(new DetokenizerStage.Strip(
                                content.codePointAt(0),
                                decoder.path("start").asInt(0),
                                decoder.path("stop").asInt(0),
                                isFused));
            }
            case "Metaspace" -> {
                String scheme = decoder.path("prepend_scheme").asString("always");
                boolean isPrepended = decoder.path("add_prefix_space").asBoolean(true) && !scheme.equals("never");
                String replacement = decoder.path("replacement").asString("▁");
                return !isFused && stages.add(new DetokenizerStage.Metaspace(replacement, isPrepended));
            }
            default -> {
                return false;
            }
        }
    }

    /// Accepts a pattern of one character only: a longer one could span two tokens of a fused text.
    private boolean addReplace(JsonNode decoder) {
        JsonNode pattern = decoder.path("pattern").path("String");
        String text = pattern.asString("");
        boolean isSafe = pattern.isString() && !text.isEmpty() && (!isFused || text.length() == 1);
        return isSafe
                && stages.add(new DetokenizerStage.Replace(
                        text, decoder.path("content").asString("")));
    }
}
