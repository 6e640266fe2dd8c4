package io.shadowkv.cli.option;

import io.shadowkv.engine.EngineOptions;
import io.shadowkv.engine.serve.Engine;
import io.shadowkv.model.spec.DecoderSpec;
import io.shadowkv.op.Backend;
import io.shadowkv.tensor.DType;
import java.nio.file.Path;

/// The origin of a benchmark's weights.
public sealed interface ModelSource {
    /// The model's name for output.
    String name();

    Engine open(Backend backend, EngineOptions options);

    /// @param name as given on the command line
    record Checkpoint(String name, Path folder) implements ModelSource {
        @Override
        public Engine open(Backend backend, EngineOptions options) {
            return Engine.open(folder, backend, options);
        }
    }

    /// Random weights for a known shape, in BF16 like the checkpoint of the shape.
    record Random(String name, DecoderSpec spec, long seed) implements ModelSource {
        @Override
        public Engine open(Backend backend, EngineOptions options) {
            return Engine.openRandom(spec, DType.BF16, seed, backend, options);
        }
    }
}
