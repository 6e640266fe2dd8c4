package io.shadowkv.cli.model;

import io.shadowkv.checkpoint.Checkpoint;
import java.nio.file.Path;
import java.util.SortedMap;
import java.util.TreeMap;

/// What a checkpoint's weight files hold.
///
/// @param folder the checkpoint's
/// @param parameters elements of all weights
/// @param bytes of all weights
/// @param elementsByType elements of each type
record ModelFacts(Path folder, long parameters, long bytes, SortedMap<String, Long> elementsByType) {
    /// Counts the weights; rotary tables that old checkpoints store are no parameters.
    static ModelFacts read(Path folder) {
        SortedMap<String, Long> byType = new TreeMap<>();
        long parameters = 0;
        try (Checkpoint checkpoint = Checkpoint.open(folder)) {
            for (String name : checkpoint.names()) {
                if (name.endsWith("inv_freq")) {
                    continue;
                }
                long elements = checkpoint.elements(name);
                parameters += elements;
                byType.merge(checkpoint.typeName(name), elements, Long::sum);
            }
            return new ModelFacts(folder, parameters, checkpoint.weightBytes(), byType);
        }
    }
}
