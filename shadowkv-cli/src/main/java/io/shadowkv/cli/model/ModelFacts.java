package io.shadowkv.cli.model;

import io.shadowkv.checkpoint.Checkpoint;
import java.nio.file.Path;
import java.util.SortedMap;
import java.util.TreeMap;

/// The contents of a checkpoint's weight files.
///
/// @param folder folder of the checkpoint
/// @param parameters number of elements of all weights
/// @param bytes size of all weights
/// @param elementsByType number of elements of each type
record ModelFacts(Path folder, long parameters, long bytes, SortedMap<String, Long> elementsByType) {
    /// Counts the weights, except rotary tables that old checkpoints contain; they are not
    /// parameters.
    static ModelFacts read(Path folder) {
        SortedMap<String, Long> byType = new TreeMap<>();
        long parameters = 0;
        try (Checkpoint checkpoint = Checkpoint.open(folder)) {
            for (String name : checkpoint.names()) {
                if (name.endsWith("inv_freq")) {
                    continue;
                }
                long weights = checkpoint.weights(name);
                parameters += weights;
                byType.merge(checkpoint.typeName(name), weights, Long::sum);
            }
            return new ModelFacts(folder, parameters, checkpoint.weightBytes(), byType);
        }
    }
}
