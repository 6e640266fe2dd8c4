package io.shadowkv.engine.golden;

import io.shadowkv.Fixtures;
import io.shadowkv.RandomCheckpoint;
import io.shadowkv.checkpoint.SafetensorsWriter;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Shape;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.IntStream;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// The models of the archive `families`. The archive holds expected values only; weights are drawn by the
/// formula of `testdata/generators/tiny_families.py`, which gives the same bits here as there.
final class FamilyModels {
    private static final long GAMMA = 0x9E3779B97F4A7C15L;

    private FamilyModels() {}

    /// The folder of one model in the archive, without weights.
    static Path archived(String model) {
        return Fixtures.golden("families").resolve("models").resolve(model);
    }

    /// Writes the checkpoint of a model.
    ///
    /// @param type F32 or BF16; the weights are exact in both
    static Path write(String model, DType type, Path folder) {
        Path archived = archived(model);
        try {
            Files.createDirectories(folder);
            for (String name : new String[] {"config.json", "config.transformers5.json"}) {
                Files.copy(archived.resolve(name), folder.resolve(name));
            }
            weights(JsonMapper.shared().readTree(Files.readString(archived.resolve("weights.json"))), type)
                    .write(folder.resolve("model.safetensors"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return folder;
    }

    private static SafetensorsWriter weights(JsonNode description, DType type) {
        var writer = new SafetensorsWriter();
        long number = 0;
        for (JsonNode tensor : description.get("tensors")) {
            int[] extents = IntStream.range(0, tensor.get("shape").size())
                    .map(i -> tensor.get("shape").get(i).intValue())
                    .toArray();
            float[] values = values(
                    number++,
                    IntStream.of(extents).reduce(1, Math::multiplyExact),
                    tensor.get("mean").doubleValue(),
                    tensor.get("scale").doubleValue(),
                    8 - tensor.get("bits").intValue());
            RandomCheckpoint.add(writer, tensor.get("name").stringValue(), Shape.of(extents), values, type);
        }
        return writer;
    }

    private static float[] values(long number, int count, double mean, double scale, int cleared) {
        float[] values = new float[count];
        long state = number << 32;
        for (int i = 0; i < count; i++) {
            state += GAMMA;
            int upper = (int) (mixed(state) >>> 56) >> cleared << cleared;
            values[i] = (float) (mean + scale * (upper - 128) / 128);
        }
        return values;
    }

    private static long mixed(long state) {
        long mixed = (state ^ state >>> 30) * 0xBF58476D1CE4E5B9L;
        mixed = (mixed ^ mixed >>> 27) * 0x94D049BB133111EBL;
        return mixed ^ mixed >>> 31;
    }
}
