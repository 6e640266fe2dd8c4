package io.shadowkv.engine.golden;

import static org.assertj.core.api.Assertions.assertThat;

import io.shadowkv.Fixtures;
import io.shadowkv.checkpoint.ModelConfig;
import io.shadowkv.checkpoint.Safetensors;
import io.shadowkv.engine.EngineOptions;
import io.shadowkv.engine.serve.Engine;
import io.shadowkv.op.Backend;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Floats;
import io.shadowkv.tensor.Tensor;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/// One model with what transformers computed of it.
///
/// @param folder the checkpoint
/// @param golden folder of `golden.json` and `expected.safetensors`
record GoldenModel(Path folder, Path golden) {
    /// Names of the models of an archive, sorted.
    static Stream<String> names(String archive) {
        try (Stream<Path> folders = Files.list(Fixtures.golden(archive).resolve("models"))) {
            return folders.map(folder -> folder.getFileName().toString()).sorted().toList().stream();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// Checks logits and greedy continuations.
    ///
    /// @param backend is closed
    /// @param kvType F32 to compare as floats; null for the type of the weights: then twice the error of a plain
    ///     bf16 forward pass is allowed at the last position, or its largest error at any position if the archive
    ///     has it
    void check(Backend opened, DType kvType, List<String> inputs) {
        ModelConfig facts = ModelConfig.read(golden.resolve("golden.json"));
        try (Arena arena = Arena.ofConfined();
                Backend backend = opened;
                Engine engine = Engine.open(folder, backend, EngineOptions.DEFAULT.withKvType(kvType))) {
            Safetensors expected = Safetensors.open(golden.resolve("expected.safetensors"), arena);
            boolean isFloat = engine.kvType() == DType.F32;
            for (String input : inputs) {
                double bound = input.equals("long") ? 3e-3 : 1e-3;
                if (!isFloat) {
                    bound = Math.max(
                            2 * facts.number(input + ".bf16_forward_maxdiff_last"),
                            facts.number(input + ".bf16_forward_maxdiff_all", 0));
                }
                checkInput(
                        engine,
                        expected,
                        input,
                        bound,
                        isFloat,
                        facts.integer(input + ".bf16_forward_argmax_missed", 0));
            }
        }
    }

    /// Checks that `newer`, a configuration as transformers 5 writes it, gives the same model as the classic
    /// one of `source`.
    ///
    /// @param target receives the checkpoint with the newer configuration
    /// @param backend is closed
    static void checkNewerConfiguration(Path source, Path newer, Path target, Backend opened) throws IOException {
        Files.createDirectories(target);
        try (Stream<Path> files = Files.list(source)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                Files.copy(file, target.resolve(file.getFileName().toString()));
            }
        }
        Files.delete(target.resolve("config.json"));
        Files.copy(newer, target.resolve("config.json"));
        try (Backend backend = opened;
                Engine classic = Engine.open(source, backend, EngineOptions.DEFAULT);
                Engine modern = Engine.open(target, backend, EngineOptions.DEFAULT)) {
            assertThat(modern.spec().contextTokens()).isEqualTo(classic.spec().contextTokens());
            int[] ids = {5, 17, 42, 7, 99};
            assertThat(rows(modern, ids)).isDeepEqualTo(rows(classic, ids));
        }
    }

    private static float[][] rows(Engine engine, int[] ids) {
        List<float[]> rows = new ArrayList<>();
        engine.logits(ids, ids.length, true, 0, rows::add);
        return rows.toArray(float[][]::new);
    }

    /// @param missed positions where a plain bf16 pass has another most likely token
    static void checkInput(
            Engine engine, Safetensors expected, String input, double bound, boolean isFloat, int missed) {
        int[] ids = ints(expected.tensor(input + ".ids"));
        float[] last = Floats.toArray(expected.tensor(input + ".logits_last"));
        int[] positions = ints(expected.tensor(input + ".logits_positions"));
        float[] logits = Floats.toArray(expected.tensor(input + ".logits"));
        int[] argmax = ints(expected.tensor(input + ".argmax_all"));
        int[] greedy = ints(expected.tensor(input + ".greedy32"));
        float[] margins = Floats.toArray(expected.tensor(input + ".greedy32_margin"));
        List<float[]> rows = new ArrayList<>();
        int[] generated = engine.logits(ids, ids.length, true, greedy.length, rows::add);
        String what = engine.spec().family() + " " + input;
        assertClose(what + ", last position", rows.getLast(), last, 0, bound);
        for (int i = 0; i < positions.length; i++) {
            // A single position of a plain bf16 pass may be off by more than the last one; floats may not.
            assertClose(
                    what + ", position " + positions[i],
                    rows.get(positions[i]),
                    logits,
                    i * last.length,
                    isFloat ? bound : 2 * bound);
        }
        int agreed = 0;
        for (int i = 0; i < argmax.length; i++) {
            agreed += io.shadowkv.sampling.Sampler.argmax(rows.get(i)) == argmax[i] ? 1 : 0;
        }
        // A plain bf16 pass misses one of 17 now and then (`bf16_forward_argmax_agreement` of the archive).
        assertThat(argmax.length - agreed)
                .as(what + ", positions with another most likely token")
                .isLessThanOrEqualTo(isFloat ? argmax.length / 1000 : missed + Math.max(1, argmax.length * 3 / 100));
        int certain = 0;
        while (certain < greedy.length && (isFloat || margins[certain] >= 0.3)) {
            certain++;
        }
        assertThat(java.util.Arrays.copyOf(generated, certain))
                .as(what + ", greedy continuation")
                .isEqualTo(java.util.Arrays.copyOf(greedy, certain));
    }

    private static void assertClose(String what, float[] found, float[] expected, int from, double bound) {
        double worst = 0;
        for (int i = 0; i < found.length; i++) {
            double error = Math.abs(found[i] - expected[from + i]);
            worst = !(error <= worst) ? error : worst;
        }
        assertThat(worst).as(what + ", largest error of a logit").isLessThanOrEqualTo(bound);
    }

    private static int[] ints(Tensor tensor) {
        return tensor.segment().toArray(ValueLayout.JAVA_INT_UNALIGNED);
    }
}
