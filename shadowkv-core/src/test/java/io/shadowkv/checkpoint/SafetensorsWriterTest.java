package io.shadowkv.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Floats;
import io.shadowkv.tensor.Shape;
import io.shadowkv.tensor.Tensor;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SafetensorsWriterTest {
    @TempDir
    Path folder;

    @Test
    void whatIsWrittenIsReadBack() {
        float[] floats = new float[100_003];
        int[] ints = new int[40_001];
        for (int i = 0; i < floats.length; i++) {
            floats[i] = i * 0.25f - 7;
        }
        for (int i = 0; i < ints.length; i++) {
            ints[i] = i * 31 - 5;
        }
        Path file = folder.resolve("out.safetensors");
        try (Arena arena = Arena.ofConfined()) {
            Tensor half = Tensor.of(DType.F16, Shape.of(3), arena.allocate(6));
            Floats.fill(half, new float[] {1, -2, 0.5f});
            new SafetensorsWriter()
                    .add("half \"quoted\" ü", half)
                    .add("logits", Shape.of(1, floats.length), floats)
                    .add("generated", Shape.of(ints.length), ints)
                    .add("none", Shape.of(0), new float[0])
                    .metadata("seed", "7")
                    .write(file);
            Safetensors opened = Safetensors.open(file, arena);
            assertThat(opened.metadata()).containsOnlyKeys("seed");
            assertThat(Floats.toArray(opened.tensor("logits"))).isEqualTo(floats);
            assertThat(opened.tensor("logits").shape()).isEqualTo(Shape.of(1, floats.length));
            assertThat(SafetensorsTest.ints(opened.tensor("generated"))).isEqualTo(ints);
            assertThat(Floats.toArray(opened.tensor("half \"quoted\" ü"))).containsExactly(1, -2, 0.5f);
            assertThat(opened.tensor("none").elements()).isZero();
            for (String name : opened.names()) {
                Tensor tensor = opened.tensor(name);
                assertThat(tensor.segment().address() % tensor.dtype().bytes())
                        .as(name)
                        .isZero();
            }
        }
    }

    @Test
    void aBodyArrivesInPieces() {
        Path file = folder.resolve("out.safetensors");
        int pieces = 300;
        new SafetensorsWriter()
                .add("streamed", DType.U8, Shape.of(pieces, 1_001), channel -> {
                    for (int i = 0; i < pieces; i++) {
                        byte[] piece = new byte[1_001];
                        java.util.Arrays.fill(piece, (byte) i);
                        channel.write(ByteBuffer.wrap(piece));
                    }
                })
                .write(file);
        try (Arena arena = Arena.ofConfined()) {
            Tensor streamed = Safetensors.open(file, arena).tensor("streamed");
            for (int i = 0; i < pieces; i++) {
                assertThat(streamed.row(i).segment().get(java.lang.foreign.ValueLayout.JAVA_BYTE, 1_000))
                        .isEqualTo((byte) i);
            }
        }
    }

    @Test
    void aFailureLeavesWhatWasThere() throws IOException {
        Path file = folder.resolve("out.safetensors");
        Files.writeString(file, "before");

        assertThatThrownBy(() -> new SafetensorsWriter()
                        .add("a", DType.U8, Shape.of(8), channel -> channel.write(ByteBuffer.allocate(7)))
                        .write(file))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("[8] U8, 8 bytes, but its body wrote 7");
        assertThatThrownBy(() -> new SafetensorsWriter()
                        .add("a", DType.U8, Shape.of(8), channel -> channel.write(ByteBuffer.allocate(9)))
                        .write(file))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("writes 9 bytes where only 8 are left");
        assertThatThrownBy(() -> new SafetensorsWriter()
                        .add("a", DType.U8, Shape.of(8), channel -> {
                            channel.write(ByteBuffer.allocate(4));
                            throw new IOException("No space left on device");
                        })
                        .write(file))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("cannot write " + file + " (8 bytes of tensors)")
                .hasMessageContaining("No space left on device");
        assertThat(file).hasContent("before");
        try (Stream<Path> left = Files.list(folder)) {
            assertThat(left).containsExactly(file);
        }
        Path nowhere = folder.resolve("absent/out.safetensors");
        assertThatThrownBy(() -> new SafetensorsWriter().write(nowhere))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("NoSuchFileException");
    }

    @Test
    void mistakesOfTheCallerAreTold() {
        SafetensorsWriter writer = new SafetensorsWriter().add("a", Shape.of(1), new float[1]);
        assertThatThrownBy(() -> writer.add("a", Shape.of(1), new float[1]))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("was added before");
        assertThatThrownBy(() -> writer.add("__metadata__", Shape.of(1), new float[1]))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("reserved");
        assertThatThrownBy(() -> writer.add("b", Shape.of(2, 2), new int[3]))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("[2, 2], 4 elements, but has 3 values");
    }
}
