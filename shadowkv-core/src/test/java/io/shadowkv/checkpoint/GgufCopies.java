package io.shadowkv.checkpoint;

import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Tensor;
import io.shadowkv.text.gguf.GgufWriter;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/// Writes safetensors checkpoints as GGUF files, as llama.cpp's converter does: its names, metadata and order of
/// rows. Weights keep their types.
public final class GgufCopies {
    private static final Map<DType, Integer> TYPES = Map.of(DType.F32, 0, DType.F16, 1, DType.BF16, 30);

    private GgufCopies() {}

    /// @param folder a checkpoint of the family llama or qwen2, without rotary scaling
    public static GgufWriter of(Path folder) {
        try (Checkpoint checkpoint = Checkpoint.open(folder)) {
            ModelConfig config = checkpoint.config();
            String architecture = config.string("model_type");
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
            for (String name : checkpoint.names()) {
                boolean isPermuted = architecture.equals("llama") && name.matches(".*\\.[qk]_proj\\..*");
                int rowHeads = name.contains(".q_proj.") ? heads : kvHeads;
                add(writer, GgufNames.inFile(name), checkpoint.tensor(name), isPermuted ? rowHeads : 0);
            }
            return writer;
        }
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
