package io.shadowkv.cli.model;

import io.shadowkv.model.spec.DecoderSpec;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// The layers of a decoder, grouped by what they compute.
final class LayerKinds {
    private LayerKinds() {}

    /// What layers compute, by a text that names the layers: `all layers`, `layers 0-2, 4-6`.
    static Map<String, String> of(DecoderSpec decoder) {
        Map<String, List<Integer>> layersOfKind = new LinkedHashMap<>();
        for (int i = 0; i < decoder.layers(); i++) {
            layersOfKind
                    .computeIfAbsent(decoder.layer(i).describe(), kind -> new ArrayList<>())
                    .add(i);
        }
        Map<String, String> kinds = new LinkedHashMap<>();
        layersOfKind.forEach((kind, layers) ->
                kinds.put(layers.size() == decoder.layers() ? "all layers" : "layers " + ranges(layers), kind));
        return kinds;
    }

    private static String ranges(List<Integer> layers) {
        List<String> ranges = new ArrayList<>();
        int from = 0;
        for (int i = 1; i <= layers.size(); i++) {
            if (i == layers.size() || layers.get(i) != layers.get(i - 1) + 1) {
                int first = layers.get(from);
                int last = layers.get(i - 1);
                ranges.add(first == last ? Integer.toString(first) : first + "-" + last);
                from = i;
            }
        }
        return String.join(", ", ranges);
    }
}
