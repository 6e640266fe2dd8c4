package io.shadowkv.checkpoint;

import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Tensor;
import io.shadowkv.text.gguf.GgufWriter;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Writes safetensors checkpoints as GGUF files, as llama.cpp's converter does: its names, metadata and order of
/// rows. Weights keep their types.
public final class GgufCopies {
    private static final Map<DType, Integer> TYPES = Map.of(DType.F32, 0, DType.F16, 1, DType.BF16, 30);

    private GgufCopies() {}

    /// @param folder a checkpoint of a family that GGUF files are read of; rotary scaling is left out except
    ///     longrope
    public static GgufWriter of(Path folder) {
        try (Checkpoint checkpoint = Checkpoint.open(folder)) {
            ModelConfig config = checkpoint.config();
            String type = config.string("model_type");
            String architecture = type.equals("qwen3_moe") ? "qwen3moe" : type;
            int heads = config.integer("num_attention_heads");
            int kvHeads = config.integer("num_key_value_heads", heads);
            int headDim = config.integer("head_dim", config.integer("hidden_size") / heads);
            GgufWriter writer = new GgufWriter()
                    .put("general.architecture", architecture)
                    .put(architecture + ".block_count", config.integer("num_hidden_layers"))
                    .put(architecture + ".context_length", config.integer("max_position_embeddings"))
                    .put(architecture + ".embedding_length", config.integer("hidden_size"))
                    .put(architecture + ".feed_forward_length", config.integer("intermediate_size"))
                    .put(architecture + ".attention.head_count", heads)
                    .put(architecture + ".attention.head_count_kv", kvHeads)
                    .put(architecture + ".attention.key_length", headDim)
                    .put(architecture + ".attention.value_length", headDim)
                    .put(architecture + ".attention.layer_norm_rms_epsilon", (float) config.number("rms_norm_eps"))
                    .put(architecture + ".rope.freq_base", (float) config.number("rope_theta", 10_000))
                    .put("tokenizer.ggml.eos_token_id", 3);
            switch (type) {
                case "granite" -> multipliers(writer, config);
                case "phi3" -> longRope(writer, config, headDim);
                case "qwen3_moe" ->
                    writer.put("qwen3moe.expert_count", config.integer("num_experts"))
                            .put("qwen3moe.expert_used_count", config.integer("num_experts_per_tok"))
                            .put("qwen3moe.expert_feed_forward_length", config.integer("moe_intermediate_size"));
                default -> {}
            }
            boolean isPermuted = type.equals("llama") || type.equals("granite");
            Map<String, List<Tensor>> stacks = new LinkedHashMap<>();
            for (String name : checkpoint.names()) {
                Tensor tensor = checkpoint.tensor(name);
                if (name.contains(".experts.")) {
                    stacks.computeIfAbsent(GgufNames.inFile(name), _ -> new ArrayList<>())
                            .add(tensor);
                    continue;
                }
                boolean isRotated = isPermuted && name.matches(".*\\.[qk]_proj\\..*");
                int rowHeads = name.contains(".q_proj.") ? heads : kvHeads;
                add(writer, GgufNames.inFile(name), tensor, isRotated ? rowHeads : 0);
            }
            stacks.forEach((name, experts) -> addStack(writer, name, experts));
            return writer;
        }
    }

    private static void multipliers(GgufWriter writer, ModelConfig config) {
        writer.put("granite.embedding_scale", (float) config.number("embedding_multiplier"))
                .put("granite.attention.scale", (float) config.number("attention_multiplier"))
                .put("granite.residual_scale", (float) config.number("residual_multiplier"))
                .put("granite.logit_scale", (float) config.number("logits_scaling"));
    }

    /// The factors are tensors, and nothing says that the scaling is longrope.
    private static void longRope(GgufWriter writer, ModelConfig config, int headDim) {
        ModelConfig scaling = config.object("rope_scaling").orElseThrow();
        int original = config.integer("original_max_position_embeddings");
        double scale = (double) config.integer("max_position_embeddings") / original;
        writer.put("phi3.rope.dimension_count", (int) (headDim * config.number("partial_rotary_factor", 1)))
                .put("phi3.rope.scaling.original_context_length", original)
                .put("phi3.rope.scaling.attn_factor", (float) Math.sqrt(1 + Math.log(scale) / Math.log(original)))
                .put("phi3.attention.sliding_window", config.integer("sliding_window"));
        factors(writer, "rope_factors_short.weight", scaling.doubles("short_factor"));
        factors(writer, "rope_factors_long.weight", scaling.doubles("long_factor"));
    }

    private static void factors(GgufWriter writer, String name, double[] factors) {
        float[] values = new float[factors.length];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) factors[i];
        }
        writer.floats(name, values, values.length);
    }

    /// @param experts in the order of their numbers
    private static void addStack(GgufWriter writer, String name, List<Tensor> experts) {
        Tensor first = experts.getFirst();
        byte[] all = new byte[Math.toIntExact(first.byteSize() * experts.size())];
        for (int i = 0; i < experts.size(); i++) {
            byte[] one = experts.get(i).segment().toArray(ValueLayout.JAVA_BYTE);
            System.arraycopy(one, 0, all, i * one.length, one.length);
        }
        int type = java.util.Objects.requireNonNull(TYPES.get(first.dtype()));
        writer.tensor(name, type, all, experts.size(), first.extent(0), first.extent(1));
    }

    /// @param heads number of heads whose rows are permuted, or 0
    private static void add(GgufWriter writer, String name, Tensor tensor, int heads) {
        // Vectors are F32 in files of llama.cpp.
        if (tensor.shape().rank() == 1) {
            float[] values = io.shadowkv.tensor.Floats.toArray(tensor);
            writer.floats(name, heads == 0 ? values : permuted(values, heads), values.length);
            return;
        }
        byte[] data = tensor.segment().toArray(ValueLayout.JAVA_BYTE);
        int rows = tensor.extent(0);
        byte[] ordered = heads == 0 ? data : permuted(data, heads, rows, data.length / rows);
        writer.tensor(
                name, java.util.Objects.requireNonNull(TYPES.get(tensor.dtype())), ordered, rows, tensor.extent(1));
    }

    private static float[] permuted(float[] values, int heads) {
        float[] result = new float[values.length];
        for (int row = 0; row < values.length; row++) {
            result[place(row, values.length / heads)] = values[row];
        }
        return result;
    }

    private static byte[] permuted(byte[] data, int heads, int rows, int rowBytes) {
        byte[] result = new byte[data.length];
        for (int row = 0; row < rows; row++) {
            System.arraycopy(data, row * rowBytes, result, place(row, rows / heads) * rowBytes, rowBytes);
        }
        return result;
    }

    /// Element i of the first half of a head goes to 2 · i, of the second to 2 · i + 1.
    private static int place(int row, int headDim) {
        int inHead = row % headDim;
        int half = headDim / 2;
        return row - inHead + (inHead < half ? 2 * inHead : 2 * (inHead - half) + 1);
    }

    /// The divisors of a scaling's frequencies.
    public static GgufWriter withDivisors(GgufWriter writer, double[] plain, double[] scaled) {
        float[] divisors = new float[plain.length];
        for (int i = 0; i < plain.length; i++) {
            divisors[i] = (float) (plain[i] / scaled[i]);
        }
        return writer.floats("rope_freqs.weight", divisors, divisors.length);
    }

    /// A small llama of random F32 weights: 2 layers, hidden size 32.
    public static GgufWriter small(Path temporary) {
        return of(io.shadowkv.RandomCheckpoint.SMALL.write(temporary));
    }

    static List<String> names(Path file) {
        try (Checkpoint checkpoint = Checkpoint.open(file)) {
            return List.copyOf(checkpoint.names());
        }
    }
}
