package io.shadowkv.engine.laws;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shadowkv.Fixtures;
import io.shadowkv.RandomCheckpoint;
import io.shadowkv.checkpoint.CheckpointException;
import io.shadowkv.engine.EngineOptions;
import io.shadowkv.engine.serve.Engine;
import io.shadowkv.op.Backend;
import io.shadowkv.op.reference.ReferenceBackend;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.WeightPrecision;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Weights that are quantised when they are loaded, and quantised weights on a device that reads plain numbers.
class WeightPrecisionTest {
    private static final Path GGUF =
            Fixtures.golden("weights").resolve("weights/tiny-llama32-Q4_K_M/tiny-llama32-Q4_K_M.gguf");
    private static final int[] IDS = {5, 17, 42, 7, 33, 60, 11};

    @TempDir
    Path folder;

    private static List<float[]> rows(Engine engine) {
        List<float[]> rows = new ArrayList<>();
        engine.logits(IDS, IDS.length, true, 0, rows::add);
        return rows;
    }

    private static double distance(List<float[]> first, List<float[]> second) {
        double squares = 0;
        double size = 0;
        for (int i = 0; i < first.size(); i++) {
            for (int j = 0; j < first.get(i).length; j++) {
                squares += Math.pow(first.get(i)[j] - second.get(i)[j], 2);
                size += Math.pow(first.get(i)[j], 2);
            }
        }
        return Math.sqrt(squares / size);
    }

    @Test
    void eightBitsLoseLittleAndFourBitsMore() {
        Path model = RandomCheckpoint.SMALL.write(folder.resolve("model"));
        EngineOptions options = EngineOptions.DEFAULT.withKvType(DType.F32);
        try (Backend backend = new ReferenceBackend();
                Engine stored = Engine.open(model, backend, options);
                Engine eight = Engine.open(model, backend, options.withWeights(WeightPrecision.INT8));
                Engine four = Engine.open(model, backend, options.withWeights(WeightPrecision.INT4))) {
            assertThat(distance(rows(stored), rows(eight))).isBetween(1e-5, 0.03);
            assertThat(distance(rows(stored), rows(four))).isBetween(0.02, 0.5);
            assertThat(eight.notes())
                    .singleElement()
                    .asString()
                    .contains("quantised to INT8", "Matrices with rows that are not a multiple of 32 stay");
            assertThat(stored.plan(64, 1).heldWeightBytes()).isZero();
            assertThat(eight.plan(64, 1).heldWeightBytes())
                    .isGreaterThan(four.plan(64, 1).heldWeightBytes())
                    .isPositive();
        }
    }

    /// Rows of 256 inputs and more have the better format of 4 bits.
    @Test
    void wideRowsHaveBlocksOf256() {
        Path model = new RandomCheckpoint("llama", 1, 16, 2, 16, 64, 4096, "").write(folder.resolve("wide"));
        EngineOptions options = EngineOptions.DEFAULT.withKvType(DType.F32);
        try (Backend backend = new ReferenceBackend();
                Engine stored = Engine.open(model, backend, options);
                Engine four = Engine.open(model, backend, options.withWeights(WeightPrecision.INT4))) {
            assertThat(distance(rows(stored), rows(four))).isBetween(0.01, 0.5);
        }
    }

    @Test
    void aWeightThatIsNotANumberIsRefusedWithTheNameOfItsTensor() throws IOException {
        Path model = RandomCheckpoint.SMALL.write(folder.resolve("model"));
        Path file = model.resolve("model.safetensors");
        byte[] bytes = Files.readAllBytes(file);
        ByteBuffer buffer = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        int header = Math.toIntExact(buffer.getLong(0));
        String text = new String(bytes, Long.BYTES, header, StandardCharsets.UTF_8);
        Matcher end = Pattern.compile("layers\\.1\\.self_attn\\.o_proj\\.weight\"[^}]*data_offsets\"[^}]*?([0-9]+)]")
                .matcher(text);
        assertThat(end.find()).as(text).isTrue();
        int place = Long.BYTES + header + Integer.parseInt(end.group(1)) - Float.BYTES;
        buffer.putFloat(place, Float.NaN);
        Files.write(file, bytes);
        for (WeightPrecision precision : List.of(WeightPrecision.INT8, WeightPrecision.INT4)) {
            try (Backend backend = new ReferenceBackend()) {
                assertThatThrownBy(() -> Engine.open(model, backend, EngineOptions.DEFAULT.withWeights(precision))
                                .close())
                        .isInstanceOf(CheckpointException.class)
                        .hasMessageContainingAll("layers.1.self_attn.o_proj.weight", "row 31", "NaN");
            }
        }
    }

    @Test
    void isRefusedWhereItCannotBe() {
        Path model = RandomCheckpoint.SMALL.write(folder.resolve("model"));
        EngineOptions eight = EngineOptions.DEFAULT.withWeights(WeightPrecision.INT8);
        try (Backend backend = new ReferenceBackend();
                Backend device = new DeviceLikeBackend(new ReferenceBackend())) {
            assertThatThrownBy(() -> Engine.open(GGUF, backend, eight).close())
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("the weights are quantised already (Q4_K)");
            assertThatThrownBy(() -> Engine.open(model, device, eight).close())
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContainingAll("cannot compute with weights of INT8", "it has no kernel for Q8_0");
        }
    }

    /// A device gets plain numbers, rounded to BF16, and the user is told what they take.
    @Test
    void aDeviceGetsDecodedWeights() {
        try (Backend backend = new ReferenceBackend();
                Backend device = new DeviceLikeBackend(new ReferenceBackend());
                Engine host = Engine.open(GGUF, backend, EngineOptions.DEFAULT.withKvType(DType.F32));
                Engine decoded = Engine.open(GGUF, device, EngineOptions.DEFAULT.withKvType(DType.F32))) {
            assertThat(distance(rows(host), rows(decoded))).isBetween(1e-6, 0.02);
            assertThat(host.notes()).isEmpty();
            assertThat(decoded.notes())
                    .singleElement()
                    .asString()
                    .contains("the weights are Q4_K", "were decoded to BF16", "of device memory instead of 539,392");
            assertThat(decoded.plan(64, 1).heldWeightBytes()).isGreaterThanOrEqualTo(2L * 851_968);
        }
    }
}
