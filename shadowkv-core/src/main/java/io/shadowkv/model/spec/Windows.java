package io.shadowkv.model.spec;

import io.shadowkv.checkpoint.ModelConfig;
import java.util.ArrayList;
import java.util.List;

/// Reads which layers attend to a sliding window.
final class Windows {
    private static final int DEFAULT_WINDOW_LAYERS = 28;

    private Windows() {}

    /// The window of each layer in tokens, as transformers reads the keys; 0 for full attention, also
    /// where the window covers the whole context.
    ///
    /// @param rotations which layers rotate
    /// @param positions longest sequence
    /// @throws io.shadowkv.checkpoint.CheckpointException if a layer's type is neither full nor
    ///     sliding attention
    static List<Integer> read(ModelConfig config, List<Boolean> rotations, int positions, Defaults defaults) {
        int layers = rotations.size();
        boolean isOn = switch (defaults.window()) {
            case LAYER_TYPES, EVERY_LAYER -> true;
            case SWITCHED, SWITCHED_EVERY_LAYER, SWITCHED_UNROTATED -> config.bool("use_sliding_window", false);
        };
        int stated = stated(config, defaults);
        List<String> types = types(config, layers);
        List<Integer> windows = new ArrayList<>();
        for (int i = 0; i < layers; i++) {
            boolean slides = isOn
                    && stated > 0
                    && switch (defaults.window()) {
                        case EVERY_LAYER, SWITCHED_EVERY_LAYER -> true;
                        case LAYER_TYPES -> isSliding(types, i);
                        case SWITCHED_UNROTATED -> types.isEmpty() ? !rotations.get(i) : isSliding(types, i);
                        case SWITCHED ->
                            types.isEmpty()
                                    ? i >= config.integer("max_window_layers", DEFAULT_WINDOW_LAYERS)
                                    : isSliding(types, i);
                    };
            windows.add(slides && stated < positions ? stated : 0);
        }
        return windows;
    }

    /// The window in tokens; 0 for none, which a file states with null.
    private static int stated(ModelConfig config, Defaults defaults) {
        if (!config.states("sliding_window")) {
            return defaults.windowTokens();
        }
        return config.has("sliding_window") ? config.positive("sliding_window") : 0;
    }

    private static List<String> types(ModelConfig config, int layers) {
        if (!config.has("layer_types")) {
            return List.of();
        }
        List<String> types = config.strings("layer_types");
        for (String type : types) {
            if (!type.equals("full_attention") && !type.equals("sliding_attention") && !type.equals("attention")) {
                throw config.wrong(
                        "layer_types",
                        "only full_attention and sliding_attention, found \"" + type
                                + "\"; this engine computes no other kind of layer");
            }
        }
        if (!types.isEmpty() && types.size() < layers) {
            throw config.wrong("layer_types", "a type for each of " + layers + " layers");
        }
        return types;
    }

    private static boolean isSliding(List<String> types, int layer) {
        return !types.isEmpty() && types.get(layer).equals("sliding_attention");
    }
}
