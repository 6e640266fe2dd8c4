package io.shadowkv.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Shape;
import io.shadowkv.tensor.Tensor;
import io.shadowkv.text.TokenizerConfig;
import io.shadowkv.text.TokenizerException;
import io.shadowkv.text.gguf.GgufWriter;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Consumer;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Mutated files may be read or refused with a [CheckpointException]; nothing else may come out, no case may
/// allocate much, and none may hang. Every failure prints the seed of its case.
@Timeout(300)
class ParserFuzzTest {
    private static final int CASES = Integer.getInteger("shadowkv.fuzz.cases", 1_000);

    /// A small file may cost its reader a few copies of itself and the parser's buffers, never megabytes.
    private static final long MOST_BYTES = 8L << 20;

    private static final String CONFIG = """
            {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 384, "rms_norm_eps": 1e-05,
             "rope_theta": 500000.0, "rope_scaling": {"type": "longrope", "long_factor": [1.0, 2.5, 3], "factor": 8.0},
             "tie_word_embeddings": true, "eos_token_id": [4, 1], "pad_token_id": null, "temperature": 0.6, "top_k": 50}""";

    private static final String TOKENIZER = """
            {"version": "1.0", "added_tokens": [{"id": 0, "content": "<s>", "special": true}], "normalizer": null,
             "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false}, "model": {"type": "BPE", "vocab":
             {"<s>": 0, "\\u0120a": 1, "\\ud83d\\ude00": 2, "b": 3}, "merges": ["a b", ["b", "c"]], "dropout": null}}""";

    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    @TempDir
    Path folder;

    private int read;
    private int refused;

    @BeforeAll
    static void countingWorks() {
        long before = THREADS.getCurrentThreadAllocatedBytes();
        byte[] some = new byte[1 << 20];
        assertThat(THREADS.getCurrentThreadAllocatedBytes() - before).isGreaterThanOrEqualTo(some.length);
    }

    /// Runs one case; only success and [CheckpointException] are let through.
    private <T> void judge(long seed, T input, Consumer<T> reader) {
        long before = THREADS.getCurrentThreadAllocatedBytes();
        try {
            reader.accept(input);
            read++;
        } catch (CheckpointException e) {
            refused++;
            assertThat(e.getMessage()).as("seed %d", seed).isNotBlank().hasSizeLessThan(2_000);
        } catch (RuntimeException | Error e) {
            throw new AssertionError("seed " + seed + ": a " + e.getClass().getName() + " came out", e);
        }
        long allocated = THREADS.getCurrentThreadAllocatedBytes() - before;
        assertThat(allocated).as("bytes allocated, seed %d", seed).isLessThan(MOST_BYTES);
    }

    private void bothOutcomesOccurred() {
        assertThat(read).as("cases read").isPositive();
        assertThat(refused).as("cases refused").isGreaterThan(CASES / 10);
        assertThat(read + refused).isEqualTo(CASES);
    }

    private byte[] sample() throws IOException {
        Path file = folder.resolve("sample.safetensors");
        new SafetensorsWriter()
                .add(
                        "model.embed_tokens.weight",
                        DType.BF16,
                        Shape.of(5, 4),
                        channel -> channel.write(ByteBuffer.allocate(40)))
                .add("model.layers.0.self_attn.q_proj.weight", Shape.of(3, 2), new float[6])
                .add("lm_head.weight", DType.F16, Shape.of(7), channel -> channel.write(ByteBuffer.allocate(14)))
                .add("ids", Shape.of(3), new int[3])
                .metadata("format", "pt")
                .write(file);
        return Files.readAllBytes(file);
    }

    private void readAll(byte[] bytes) {
        Path file = folder.resolve("mutant.safetensors");
        try {
            Files.write(file, bytes);
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
        try (Arena arena = Arena.ofConfined()) {
            Safetensors opened = Safetensors.open(file, arena);
            CheckpointException first = null;
            long touched = 0;
            for (String name : opened.names()) {
                try {
                    Tensor tensor = opened.tensor(name);
                    MemorySegment data = tensor.segment();
                    for (long i = 0; i < data.byteSize(); i++) {
                        touched += data.get(ValueLayout.JAVA_BYTE, i) >= 0 ? 1 : 1;
                    }
                } catch (CheckpointException e) {
                    first = first == null ? e : first;
                }
            }
            assertThat(touched).isLessThanOrEqualTo(bytes.length);
            if (first != null) {
                throw first;
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"bytes", "header", "length"})
    void mutatedSafetensorsAreReadOrRefused(String kind) throws IOException {
        byte[] sample = sample();
        for (long seed = 0; seed < CASES; seed++) {
            Mutations mutations = new Mutations(new Random(seed));
            byte[] mutant = switch (kind) {
                case "bytes" -> mutations.bytes(sample);
                case "header" -> mutations.header(sample);
                default -> mutations.length(sample);
            };
            judge(seed, mutant, this::readAll);
        }
        if (kind.equals("length")) {
            // Only one length is true, and a lie may hit it only by chance.
            assertThat(refused).isGreaterThan(CASES - 10);
        } else {
            bothOutcomesOccurred();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {CONFIG, TOKENIZER})
    void mutatedJsonIsReadOrRefused(String original) {
        // What classes cost when they are first loaded is not the parser's.
        askEverything(ModelConfig.parse("fuzz.json", original));
        for (long seed = 0; seed < CASES; seed++) {
            Mutations mutations = new Mutations(new Random(seed));
            byte[] mutant = seed % 2 == 0
                    ? mutations.json(original).getBytes(StandardCharsets.UTF_8)
                    : mutations.bytes(original.getBytes(StandardCharsets.UTF_8));
            judge(
                    seed,
                    mutant,
                    bytes -> askEverything(new ModelConfig("fuzz.json", "", Json.object("fuzz.json", bytes))));
        }
        bothOutcomesOccurred();
    }

    /// Asks every key for every type; an answer or a [CheckpointException], and both are fine.
    private static void askEverything(ModelConfig config) {
        for (String key : config.keys()) {
            List<Consumer<String>> questions = List.of(
                    config::string,
                    config::integer,
                    config::positive,
                    config::number,
                    config::optionalBool,
                    config::doubles,
                    config::strings,
                    config::integers,
                    name -> config.object(name).ifPresent(ParserFuzzTest::askEverything));
            for (Consumer<String> question : questions) {
                try {
                    question.accept(key);
                } catch (CheckpointException e) {
                    assertThat(e).hasMessageStartingWith("fuzz.json: \"");
                }
            }
        }
        try {
            assertThat(GenerationConfig.read(java.util.Optional.of(config), config)
                            .eosTokenIds())
                    .doesNotContainNull();
        } catch (CheckpointException e) {
            assertThat(e).hasMessageStartingWith("fuzz.json: \"");
        }
    }

    @Test
    void mutatedFoldersOpenOrAreRefused() throws IOException {
        byte[] shard = sample();
        String index =
                "{\"metadata\": {\"total_size\": 90}, \"weight_map\": {\"model.embed_tokens.weight\": \"a.safetensors\","
                        + " \"lm_head.weight\": \"b.safetensors\", \"ids\": \"b.safetensors\"}}";
        Path model = Files.createDirectory(folder.resolve("model"));
        Map<String, byte[]> files = new LinkedHashMap<>();
        files.put("a.safetensors", shard);
        files.put("b.safetensors", shard);
        files.put("config.json", CONFIG.getBytes(StandardCharsets.UTF_8));
        files.put("generation_config.json", CONFIG.getBytes(StandardCharsets.UTF_8));
        files.put(CheckpointFolder.INDEX, index.getBytes(StandardCharsets.UTF_8));
        for (Map.Entry<String, byte[]> file : files.entrySet()) {
            Files.write(model.resolve(file.getKey()), file.getValue());
        }
        List<String> names = List.copyOf(files.keySet());
        for (long seed = 0; seed < CASES; seed++) {
            Random random = new Random(seed);
            Mutations mutations = new Mutations(random);
            String damaged = names.get(random.nextInt(names.size()));
            byte[] whole = java.util.Objects.requireNonNull(files.get(damaged));
            byte[] mutant = damaged.equals("a.safetensors")
                    ? mutations.bytes(whole)
                    : damaged.equals("b.safetensors")
                            ? mutations.header(whole)
                            : mutations
                                    .json(new String(whole, StandardCharsets.UTF_8))
                                    .getBytes(StandardCharsets.UTF_8);
            Files.write(model.resolve(damaged), mutant);
            judge(seed, model, path -> {
                try (Checkpoint checkpoint = Checkpoint.open(path)) {
                    assertThat(checkpoint.weightBytes()).isLessThanOrEqualTo(2L * shard.length + 1_000_000);
                }
            });
            Files.write(model.resolve(damaged), whole);
        }
        bothOutcomesOccurred();
    }

    /// A model of one layer and three tokens, in two formats; everything but the ends of rows matters.
    private static byte[] gguf() {
        return new GgufWriter()
                .put("general.architecture", "llama")
                .put("llama.block_count", 1)
                .put("llama.context_length", 64)
                .put("llama.embedding_length", 32)
                .put("llama.feed_forward_length", 32)
                .put("llama.attention.head_count", 4)
                .put("llama.attention.layer_norm_rms_epsilon", 1e-5f)
                .put("llama.rope.freq_base", 10_000f)
                .put("tokenizer.ggml.model", "gpt2")
                .put("tokenizer.ggml.pre", "qwen2")
                .put("tokenizer.ggml.tokens", List.of("a", "b", "ab"))
                .put("tokenizer.ggml.token_type", List.of(1, 1, 3))
                .put("tokenizer.ggml.merges", List.of("a b"))
                .put("tokenizer.ggml.eos_token_id", 2)
                .put("tokenizer.ggml.add_bos_token", false)
                .tensor("token_embd.weight", 8, new byte[3 * 34], 3, 32)
                .floats("output_norm.weight", new float[32], 32)
                .tensor("blk.0.attn_q.weight", 2, new byte[2 * 18], 2, 32)
                .floats("rope_freqs.weight", new float[4], 4)
                .bytes();
    }

    @Test
    void mutatedGgufIsReadOrRefused() throws IOException {
        byte[] sample = gguf();
        Path file = folder.resolve("mutant.gguf");
        Files.write(file, sample);
        readGguf(file);
        for (long seed = 0; seed < CASES; seed++) {
            Files.write(file, new Mutations(new Random(seed)).bytes(sample));
            judge(seed, file, ParserFuzzTest::readGguf);
        }
        bothOutcomesOccurred();
    }

    private static void readGguf(Path file) {
        try (Checkpoint checkpoint = Checkpoint.open(file)) {
            for (String name : checkpoint.names()) {
                assertThat(checkpoint.typeName(name)).isNotEmpty();
                assertThat(checkpoint.elements(name)).isPositive();
            }
            checkpoint.fingerprint();
            checkpoint.notFinite();
            TokenizerConfig.read(file);
        } catch (TokenizerException e) {
            assertThat(e.getMessage()).hasSizeLessThan(2_000);
            throw new CheckpointException(e.getMessage(), e);
        }
    }
}
