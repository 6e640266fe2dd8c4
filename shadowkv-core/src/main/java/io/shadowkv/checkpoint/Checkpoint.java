package io.shadowkv.checkpoint;

import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Shape;
import io.shadowkv.tensor.Tensor;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.Comparator;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// A checkpoint folder: weights of one or many mapped safetensors files, and the two configurations.
///
/// Weights are never copied: tensors are views of the mapped files, valid until the checkpoint is closed (or
/// until the arena closes that [#open(Path, Arena)] was given). Immutable and safe to share between threads;
/// whoever closes it makes sure that nobody reads any more.
public final class Checkpoint implements AutoCloseable {
    private final Path folder;
    private final @Nullable Arena owned;
    private final ModelConfig config;
    private final GenerationConfig generation;
    private final Map<String, Safetensors> fileOf;

    private Checkpoint(Path folder, @Nullable Arena owned, Arena arena) {
        this.folder = folder;
        this.owned = owned;
        Path configFile = CheckpointFolder.config(folder);
        this.config = ModelConfig.read(configFile);
        Path generationFile = folder.resolve("generation_config.json");
        this.generation = GenerationConfig.read(
                Files.exists(generationFile) ? Optional.of(ModelConfig.read(generationFile)) : Optional.empty(),
                config);
        this.fileOf = CheckpointFolder.weights(folder, arena);
    }

    /// Opens `folder` and maps its weights until [#close].
    ///
    /// @throws CheckpointException if the folder is no checkpoint or a file of it is missing, cut or
    ///     contradictory
    public static Checkpoint open(Path folder) {
        Arena arena = Arena.ofShared();
        try {
            return new Checkpoint(folder, arena, arena);
        } catch (RuntimeException e) {
            arena.close();
            throw e;
        }
    }

    /// Opens `folder` and maps its weights until the caller closes `arena`; [#close] then does nothing.
    ///
    /// @throws CheckpointException as [#open(Path)]
    public static Checkpoint open(Path folder, Arena arena) {
        return new Checkpoint(folder, null, arena);
    }

    public Path folder() {
        return folder;
    }

    public ModelConfig config() {
        return config;
    }

    public GenerationConfig generation() {
        return generation;
    }

    /// Names of all tensors, file by file.
    public Set<String> names() {
        return Collections.unmodifiableSet(fileOf.keySet());
    }

    public boolean has(String name) {
        return fileOf.containsKey(name);
    }

    /// Bytes of all named tensors together.
    public long weightBytes() {
        return fileOf.entrySet().stream()
                .mapToLong(entry -> entry.getValue().bytes(entry.getKey()))
                .sum();
    }

    /// Sixteen hexadecimal digits that tell these weights from others: a hash over every tensor's
    /// name, type, shape and size and over samples of its data. It does not change when the same
    /// tensors stand in other files.
    public String fingerprint() {
        var fingerprint = new Fingerprint();
        names().stream().sorted().forEach(name -> file(name).addTo(fingerprint, name));
        return fingerprint.text();
    }

    /// The type that most weights have: that of the largest.
    public DType weightType() {
        return names().stream()
                .map(this::tensor)
                .max(Comparator.comparingLong(Tensor::elements))
                .map(Tensor::dtype)
                .orElse(DType.BF16);
    }

    /// A view of the mapped file, in the type and shape the file states. It may lie at any byte: read it
    /// unaligned.
    ///
    /// @throws CheckpointException if there is no such tensor or its type is none of [DType]
    public Tensor tensor(String name) {
        return file(name).tensor(name);
    }

    /// A view of a weight of a known shape: BF16, F16 or F32.
    ///
    /// @param expectedExtents outermost first
    /// @throws CheckpointException if there is no such tensor or it has another shape or type
    public Tensor tensor(String name, int... expectedExtents) {
        Safetensors file = file(name);
        Shape expected = Shape.of(expectedExtents);
        Tensor tensor = file.tensor(name);
        boolean readable = switch (tensor.dtype()) {
            case BF16, F16, F32 -> true;
            default -> false;
        };
        if (!readable || !tensor.shape().equals(expected)) {
            String types = readable ? tensor.dtype().toString() : "BF16, F16 or F32";
            throw new CheckpointException(file.describe(name) + "; expected " + expected + " " + types
                    + ". The weights do not fit config.json; fetch both from the same place");
        }
        return tensor;
    }

    /// Unmaps the weights, if this checkpoint owns the mapping. No view may be read afterwards.
    @Override
    public void close() {
        if (owned != null && owned.scope().isAlive()) {
            owned.close();
        }
    }

    private Safetensors file(String name) {
        Safetensors file = fileOf.get(name);
        if (file == null) {
            throw new CheckpointException(folder.getFileName() + ": no " + SafetensorsHeader.label(name) + " among the "
                    + fileOf.size() + " of its weights, such as "
                    + fileOf.keySet().stream().limit(3).toList()
                    + ". config.json describes another model, or the weights are incomplete");
        }
        return file;
    }
}
