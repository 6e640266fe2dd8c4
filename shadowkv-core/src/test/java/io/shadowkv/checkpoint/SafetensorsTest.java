package io.shadowkv.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shadowkv.Fixtures;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Floats;
import io.shadowkv.tensor.Shape;
import io.shadowkv.tensor.Tensor;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class SafetensorsTest {
    @TempDir
    Path folder;

    static Path write(Path file, String header, int dataBytes) throws IOException {
        return write(file, header.getBytes(StandardCharsets.UTF_8), dataBytes);
    }

    static Path write(Path file, byte[] header, int dataBytes) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(8 + header.length + dataBytes).order(ByteOrder.LITTLE_ENDIAN);
        bytes.putLong(header.length).put(header);
        for (int i = 0; i < dataBytes; i++) {
            bytes.put((byte) i);
        }
        return Files.write(file, bytes.array());
    }

    private void refused(String header, int dataBytes, String... parts) throws IOException {
        refused(write(folder.resolve("evil.safetensors"), header, dataBytes), parts);
    }

    private static void refused(Path file, String... parts) {
        try (Arena arena = Arena.ofConfined()) {
            assertThatThrownBy(() -> Safetensors.open(file, arena))
                    .isInstanceOf(CheckpointException.class)
                    .hasMessageStartingWith(file.getFileName() + ": ")
                    .message()
                    .contains(parts);
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "llama3-f32",
                "llama3-bf16",
                "llama31-bf16",
                "phi3-f32",
                "phi3-bf16",
                "glm-f32",
                "glm-bf16",
                "qwen2-f32",
                "qwen2-bf16",
                "qwen2-tied-bf16",
                "yi-bf16"
            })
    void goldenArraysAgreeWithThemselves(String model) {
        Path file = Fixtures.golden("models").resolve("models/tiny-" + model + "/golden/expected.safetensors");
        try (Arena arena = Arena.ofConfined()) {
            Safetensors expected = Safetensors.open(file, arena);
            assertThat(expected.names()).contains("n17.ids", "n300.greedy32", "long.logits_last");
            for (String input : new String[] {"n17", "n300", "long"}) {
                Tensor logits = expected.tensor(input + ".logits");
                float[] last = Floats.toArray(logits.row(logits.extent(0) - 1));
                assertThat(Floats.toArray(expected.tensor(input + ".logits_last")))
                        .isEqualTo(last);
                int best = 0;
                for (int i = 1; i < last.length; i++) {
                    best = last[i] > last[best] ? i : best;
                }
                int[] greedy = ints(expected.tensor(input + ".greedy32"));
                int[] argmax = ints(expected.tensor(input + ".argmax_all"));
                assertThat(best).isEqualTo(greedy[0]).isEqualTo(argmax[argmax.length - 1]);
            }
        }
    }

    static int[] ints(Tensor tensor) {
        assertThat(tensor.dtype()).isEqualTo(DType.I32);
        return tensor.segment().toArray(ValueLayout.JAVA_INT_UNALIGNED);
    }

    @Test
    void everyTypeIsReadAtAnyOffset() throws IOException {
        StringBuilder header = new StringBuilder("{\"__metadata__\":{\"format\":\"pt\"},");
        header.append("\"odd\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}");
        int end = 1;
        for (DType dtype : DType.values()) {
            int next = end + 3 * dtype.bytes();
            header.append(",\"" + dtype + "\":{\"shape\":[3],\"data_offsets\":[" + end + "," + next + "],\"dtype\":\""
                    + (dtype == DType.F8E4M3 ? "F8_E4M3" : dtype) + "\"}");
            end = next;
        }
        Path file = write(folder.resolve("types.safetensors"), header + "}  ", end);
        byte[] whole = Files.readAllBytes(file);
        try (Arena arena = Arena.ofConfined()) {
            Safetensors opened = Safetensors.open(file, arena);
            assertThat(opened.metadata()).containsEntry("format", "pt").hasSize(1);
            assertThat(opened.dataBytes()).isEqualTo(end);
            int at = whole.length - end + 1;
            for (DType dtype : DType.values()) {
                Tensor tensor = opened.tensor(dtype.name());
                assertThat(tensor.dtype()).isEqualTo(dtype);
                assertThat(tensor.shape()).isEqualTo(Shape.of(3));
                assertThat(tensor.segment().toArray(ValueLayout.JAVA_BYTE))
                        .isEqualTo(java.util.Arrays.copyOfRange(whole, at, at + 3 * dtype.bytes()));
                if (dtype.isFloating()) {
                    assertThat(Floats.toArray(tensor)).hasSize(3);
                }
                at += 3 * dtype.bytes();
            }
        }
    }

    @Test
    void scalarsAndEmptyTensorsAreTensors() throws IOException {
        Path file = write(
                folder.resolve("small.safetensors"),
                "{\"b\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0,4]},"
                        + "\"a\":{\"dtype\":\"F32\",\"shape\":[0,7],\"data_offsets\":[0,0]}}",
                4);
        try (Arena arena = Arena.ofConfined()) {
            Safetensors opened = Safetensors.open(file, arena);
            assertThat(opened.tensor("b").shape().rank()).isZero();
            assertThat(opened.tensor("a").elements()).isZero();
            assertThat(opened.names()).containsExactly("a", "b");
        }
        write(file, "{}", 0);
        try (Arena arena = Arena.ofConfined()) {
            assertThat(Safetensors.open(file, arena).names()).isEmpty();
        }
    }

    @Test
    void noMetadataMayBeWrittenAsNull() throws IOException {
        Path file = write(
                folder.resolve("null.safetensors"),
                "{\"__metadata__\":null,\"w\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}",
                4);
        try (Arena arena = Arena.ofConfined()) {
            Safetensors opened = Safetensors.open(file, arena);
            assertThat(opened.metadata()).isEmpty();
            assertThat(opened.names()).containsExactly("w");
        }
    }

    @Test
    void unknownTypesAreToldWhenAskedFor() throws IOException {
        Path file = write(
                folder.resolve("f8.safetensors"),
                "{\"w\":{\"dtype\":\"F8_E5M2\",\"shape\":[2,2],\"data_offsets\":[0,4]},"
                        + "\"n\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]},"
                        + "\"wide\":{\"dtype\":\"U8\",\"shape\":[0,4294967296],\"data_offsets\":[8,8]}}",
                8);
        try (Arena arena = Arena.ofConfined()) {
            Safetensors opened = Safetensors.open(file, arena);
            assertThat(opened.tensor("n").byteOffset()).isEqualTo(4);
            assertThatThrownBy(() -> opened.tensor("w"))
                    .isInstanceOf(CheckpointException.class)
                    .hasMessageContaining(
                            "f8.safetensors: tensor \"w\" is [2, 2] F8_E5M2; types that can be read are F32, BF16, F16,"
                                    + " F64, F8_E4M3, I8,");
            assertThatThrownBy(() -> opened.tensor("wide"))
                    .isInstanceOf(CheckpointException.class)
                    .hasMessageContaining("an extent is at most 2147483647");
            assertThatThrownBy(() -> opened.tensor("absent"))
                    .isInstanceOf(CheckpointException.class)
                    .hasMessageContaining("no tensor \"absent\" among its 3");
        }
    }

    static Stream<Arguments> lies() {
        String f32 = "\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":";
        return Stream.of(
                Arguments.of(
                        "hole",
                        "{\"a\":{" + f32 + "[0,8]},\"b\":{" + f32 + "[12,20]}}",
                        20,
                        "starts at data byte 12 but"),
                Arguments.of(
                        "overlap",
                        "{\"a\":{" + f32 + "[0,8]},\"b\":{" + f32 + "[4,12]}}",
                        12,
                        "starts at data byte 4 but"),
                Arguments.of(
                        "twins", "{\"a\":{" + f32 + "[0,8]},\"b\":{" + f32 + "[0,8]}}", 8, "starts at data byte 0 but"),
                Arguments.of("start", "{\"a\":{" + f32 + "[8,16]}}", 16, "the header ends at 0"),
                Arguments.of("backwards", "{\"a\":{" + f32 + "[8,0]}}", 8, "the end lies before the start"),
                Arguments.of("beyond", "{\"a\":{" + f32 + "[0,8]}}", 7, "promises 8 bytes of data, the file has 7"),
                Arguments.of("trailing", "{\"a\":{" + f32 + "[0,8]}}", 9, "1 bytes follow the last tensor"),
                Arguments.of(
                        "size",
                        "{\"a\":{" + f32 + "[0,4]}}",
                        4,
                        "[2] F32, that is 8 bytes, but its data_offsets span 4"),
                Arguments.of(
                        "overflow",
                        "{\"a\":{\"dtype\":\"F32\",\"shape\":[4294967296,4294967296],\"data_offsets\":[0,0]}}",
                        0,
                        "more than 2^63 bytes"),
                Arguments.of(
                        "overflow of an unknown type",
                        "{\"a\":{\"dtype\":\"F4\",\"shape\":[4294967296,4294967296],\"data_offsets\":[0,0]}}",
                        0,
                        "F4, more than 2^63 bytes"),
                Arguments.of(
                        "negative", "{\"a\":{\"dtype\":\"F32\",\"shape\":[-2],\"data_offsets\":[0,8]}}", 8, "holds -2"),
                Arguments.of(
                        "huge",
                        "{\"a\":{\"dtype\":\"F32\",\"shape\":[99999999999999999999],\"data_offsets\":[0,8]}}",
                        8,
                        "not valid JSON"),
                Arguments.of(
                        "fraction",
                        "{\"a\":{\"dtype\":\"F32\",\"shape\":[2.0],\"data_offsets\":[0,8]}}",
                        8,
                        "whole numbers"),
                Arguments.of("three", "{\"a\":{" + f32 + "[0,8,8]}}", 8, "two data_offsets"),
                Arguments.of("no type", "{\"a\":{\"shape\":[2],\"data_offsets\":[0,8]}}", 8, "dtype null"),
                Arguments.of(
                        "type", "{\"a\":{\"dtype\":7,\"shape\":[2],\"data_offsets\":[0,8]}}", 8, "must be a string"),
                Arguments.of("no object", "{\"a\":[1]}", 0, "must be an object"),
                Arguments.of("metadata", "{\"__metadata__\":{\"a\":1}}", 0, "must be an object of strings"),
                Arguments.of("duplicate", "{\"a\":{" + f32 + "[0,8]},\"a\":{" + f32 + "[0,8]}}", 8, "Duplicate"),
                Arguments.of("inner duplicate", "{\"a\":{" + f32 + "[0,8],\"shape\":[2]}}", 8, "Duplicate"),
                Arguments.of("array", "[]", 0, "does not start with '{'"),
                Arguments.of("leading space", " {}", 0, "does not start with '{'"),
                Arguments.of("empty", "", 0, "does not start with '{'"),
                Arguments.of("cut", "{\"a\":{", 0, "not valid JSON"),
                Arguments.of("two", "{} {}", 0, "goes on after"),
                Arguments.of("deep", "{\"a\":{\"x\":" + "[".repeat(5_000) + "]".repeat(5_000) + "}}", 0, "nesting"),
                Arguments.of(
                        "rank",
                        "{\"a\":{\"dtype\":\"U8\",\"shape\":[" + "1,".repeat(64) + "1],\"data_offsets\":[0,1]}}",
                        1,
                        "more than 64 numbers"),
                Arguments.of("utf-16", "{\0\"\0a\0\"\0:\0{\0}\0}\0", 0, "not valid JSON"));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("lies")
    void headersThatLieAreRefused(String name, String header, int dataBytes, String part) throws IOException {
        refused(header, dataBytes, part);
    }

    @Test
    void malformedUtf8IsRefused() throws IOException {
        byte[] header = "{\"__metadata__\":{\"a\":\"??\"}}".getBytes(StandardCharsets.UTF_8);
        header[header.length - 5] = (byte) 0xC0;
        header[header.length - 4] = (byte) 0x80;
        refused(write(folder.resolve("evil.safetensors"), header, 0), "not valid JSON");
    }

    @Test
    void headerLengthsThatLieAllocateNothing() throws IOException {
        Path file = folder.resolve("evil.safetensors");
        for (long length : new long[] {-1, Long.MIN_VALUE, Long.MAX_VALUE, Safetensors.MAX_HEADER_BYTES + 1}) {
            Files.write(
                    file,
                    ByteBuffer.allocate(64)
                            .order(ByteOrder.LITTLE_ENDIAN)
                            .putLong(length)
                            .array());
            refused(file, "the header claims " + Long.toUnsignedString(length) + " bytes; at most 100000000");
        }
        for (long length : new long[] {57, Safetensors.MAX_HEADER_BYTES}) {
            Files.write(
                    file,
                    ByteBuffer.allocate(64)
                            .order(ByteOrder.LITTLE_ENDIAN)
                            .putLong(length)
                            .array());
            refused(file, "the header claims " + length + " bytes, the file has 64. It is cut");
        }
        refused(Files.write(file, new byte[7]), "7 bytes are too few");
        refused(Files.write(file, new byte[0]), "0 bytes are too few");
        refused(folder.resolve("absent.safetensors"), "no such file in");
    }

    @Test
    void tensorsBeyondTwoGigabytesAreMapped() throws IOException {
        long elements = (3L << 30) / 2;
        byte[] header = ("{\"big\":{\"dtype\":\"BF16\",\"shape\":[" + elements / 1024 + ",1024],\"data_offsets\":[0,"
                        + 2 * elements + "]}}")
                .getBytes(StandardCharsets.UTF_8);
        Path file = write(folder.resolve("big.safetensors"), header, 0);
        // A sparse file: it takes no room on the disk.
        try (var sparse = new RandomAccessFile(file.toFile(), "rw")) {
            sparse.setLength(8 + header.length + 2 * elements);
            sparse.seek(8 + header.length + 2 * elements - 1);
            sparse.write(0x40);
        }
        try (Arena arena = Arena.ofConfined()) {
            Tensor big = Safetensors.open(file, arena).tensor("big");
            assertThat(big.elements()).isEqualTo(elements);
            assertThat(Floats.get(DType.BF16, big.segment(), elements - 1)).isEqualTo(2.0);
        }
    }
}
