package io.shadowkv.cli.option;

import io.shadowkv.cli.process.ModelFinder;
import io.shadowkv.model.spec.DecoderSpec;
import io.shadowkv.model.spec.KnownShapes;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;

/// Options that choose the model of a benchmark; a mixin.
public final class SourceFlags {
    @Option(
            names = "--model",
            paramLabel = "MODEL",
            description = "A bundled model, a folder, a GGUF file, or ORG/NAME of a pulled model.")
    private @Nullable String model;

    @Option(
            names = "--random",
            paramLabel = "SHAPE",
            description = "Instead of a model: random weights of a known shape, such as llama-3.1-8b, llama-3-8b-1m,"
                    + " glm-4-9b, yi-9b, phi-3-mini-128k, qwen2-7b, qwen3-8b, qwen3-30b-a3b,"
                    + " mistral-7b or seed-oss-36b.")
    private @Nullable String shape;

    @Option(
            names = "--layers",
            paramLabel = "N",
            description = "With --random: number of the shape's layers. Default: all.")
    private @Nullable Integer layers;

    public SourceFlags() {}

    /// @throws ParameterException if neither or both are given, or the model does not exist
    public ModelSource model(CommandSpec command, ModelFinder models, long seed) {
        String checkpoint = model;
        String known = shape;
        if (checkpoint != null && known != null) {
            throw misuse(command, "--model and --random are both given; give one of them");
        }
        if (checkpoint != null) {
            if (layers != null) {
                throw misuse(command, "--layers is given with --model; it works with --random only. Leave it out");
            }
            return new ModelSource.Checkpoint(checkpoint, models.resolve(checkpoint));
        }
        if (known == null) {
            throw misuse(command, "no model is given; give --model MODEL, or --random SHAPE for random weights");
        }
        return random(command, known, layers, seed);
    }

    /// Random weights of a known shape.
    ///
    /// @param kept number of layers; null for all
    /// @throws ParameterException if there is no such shape, or it has fewer layers
    public static ModelSource.Random random(CommandSpec command, String known, @Nullable Integer kept, long seed) {
        try {
            return new ModelSource.Random(known, shortened(KnownShapes.named(known), kept), seed);
        } catch (IllegalArgumentException e) {
            throw new ParameterException(command.commandLine(), "--random: " + e.getMessage(), e);
        }
    }

    private static DecoderSpec shortened(DecoderSpec spec, @Nullable Integer kept) {
        if (kept == null) {
            return spec;
        }
        if (kept < 1 || kept > spec.layers()) {
            throw new IllegalArgumentException(
                    "--layers is " + kept + "; expected 1 to " + spec.layers() + ", the layers of the shape");
        }
        return spec.withLayers(kept);
    }

    private static ParameterException misuse(CommandSpec command, String message) {
        return new ParameterException(command.commandLine(), message);
    }
}
