package io.shadowkv.cuda.launch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.shadowkv.cuda.device.DeviceMemory;
import io.shadowkv.op.AttendedRows;
import io.shadowkv.op.IndexedLayer;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Shape;
import io.shadowkv.tensor.Tensor;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/// Tests that Java writes the structs that `tables.cuh` reads, field by field.
class SlotMirrorsTest {
    private static final long DEVICE_ADDRESS = 0x7F00_0000_1000L;

    private static final Pattern FIELD = Pattern.compile("^ {4}(?:const )?(\\w+)(\\*)? (\\w+)(\\[MAX_EXTENTS\\])?;.*$", Pattern.MULTILINE);

    private final Arena arena = Arena.ofAuto();

    @Test
    void writesAttendedRowsAsTheKernelsReadThem() throws IOException {
        var rows = new AttendedRows(tensor(DType.BF16, 2, 33, 4), tensor(DType.BF16, 2, 33, 4));
        MemorySegment struct = arena.allocate(SlotMirrors.ATTENDED_BYTES, 8);
        SlotMirrors.writeAttended(rows, SlotMirrorsTest::address, struct);

        Map<String, Long> fields = read("AttendedEntry", struct, SlotMirrors.ATTENDED_BYTES);
        assertThat(fields)
                .containsEntry("keys", address(rows.keys()))
                .containsEntry("values", address(rows.values()))
                .containsEntry("capacity", 33L);
    }

    @Test
    void writesIndexedLayersAsTheKernelsReadThem() throws IOException {
        for (int format = 0; format < 6; format++) {
            DType stored = new DType[] {DType.BF16, DType.I8, DType.F8E4M3}[format % 3];
            boolean isOnHost = format >= 3;
            IndexedLayer layer = layer(stored, isOnHost);
            MemorySegment struct = arena.allocate(SlotMirrors.INDEXED_BYTES, 8);
            SlotMirrors.writeIndexed(layer, SlotMirrorsTest::address, struct);

            Map<String, Long> expected = new LinkedHashMap<>();
            expected.put("entries", address(((IndexedLayer.Landmarks) layer.index()).means()));
            expected.put("entryScales", 0L);
            expected.put("unitIds", address(layer.index().unitIds()));
            expected.put("factor", address(layer.keys().factor()));
            expected.put("basis", address(layer.keys().basis()));
            expected.put("storedValues", address(layer.stored().first().values()));
            expected.put("storedScales", address(layer.stored().first().scales()));
            expected.put("keys", address(layer.residency().attended().keys()));
            expected.put("values", address(layer.residency().attended().values()));
            expected.put("residentUnits", address(layer.residency().residentUnits()));
            expected.put("slotAges", address(layer.residency().slotAges()));
            expected.put("selectedSlots", address(layer.residency().selectedSlots()));
            expected.put("missUnits", address(layer.residency().missUnits()));
            expected.put("missSlots", address(layer.residency().missSlots()));
            expected.put("missCounts", address(layer.residency().missCounts()));
            expected.put("counters", address(layer.residency().counters()));
            expected.put("unitTokens", 8L);
            expected.put("firstRow", 3L);
            expected.put("unitCapacity", 20L);
            expected.put("valueTokens", 144L);
            expected.put("attendedCapacity", 77L);
            expected.put("slots", 7L);
            expected.put("selected", 5L);
            expected.put("valueFormat", isOnHost ? 1L + format : format);
            expected.put("codeBlocks", 0L);
            expected.put("extentTokens", 8L);
            expected.put("lastTokens", 5L);
            expected.put("extents", 2L);
            for (int i = 0; i < 32; i++) {
                boolean isHeld = i < 2;
                expected.put("extentValues " + i, isHeld ? address(layer.stored().extent(1 + i).values()) : 0);
                expected.put("extentScales " + i, isHeld ? address(layer.stored().extent(1 + i).scales()) : 0);
            }
            assertThat(read("IndexedEntry", struct, SlotMirrors.INDEXED_BYTES))
                    .as("stored as " + stored + (isOnHost ? " on the host" : " on the device"))
                    .containsExactlyInAnyOrderEntriesOf(expected);
        }
    }

    @Test
    void writesTokenCodesAsTheKernelsReadThem() throws IOException {
        var codes = new IndexedLayer.TokenCodes(
                tensor(DType.I32, 2, 3, 1, 16), tensor(DType.BF16, 2, 48), tensor(DType.I32, 2, 40));
        MemorySegment struct = arena.allocate(SlotMirrors.INDEXED_BYTES, 8);
        SlotMirrors.writeIndexed(coded(codes), SlotMirrorsTest::address, struct);
        assertThat(read("IndexedEntry", struct, SlotMirrors.INDEXED_BYTES))
                .containsEntry("entries", address(codes.codes()))
                .containsEntry("entryScales", address(codes.scales()))
                .containsEntry("unitIds", address(codes.unitIds()))
                .containsEntry("unitTokens", 1L)
                .containsEntry("unitCapacity", 40L)
                .containsEntry("codeBlocks", 3L);
    }

    /// Kernels read codes in vectors of 16 bytes.
    @Test
    void refusesCodesThatVectorsCannotRead() {
        Tensor codes = tensor(DType.I32, 2, 3, 1, 16);
        Tensor scales = tensor(DType.BF16, 104);
        var apart = new IndexedLayer.TokenCodes(
                codes,
                new Tensor(DType.BF16, Shape.of(2, 48), scales.memory(), scales.byteOffset() + 2),
                tensor(DType.I32, 2, 40));
        MemorySegment struct = arena.allocate(SlotMirrors.INDEXED_BYTES, 8);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> SlotMirrors.writeIndexed(coded(apart), SlotMirrorsTest::address, struct))
                .withMessageContaining("expected multiples of 16 bytes");
    }

    private IndexedLayer coded(IndexedLayer.TokenCodes codes) {
        IndexedLayer layer = layer(DType.BF16, false);
        return new IndexedLayer(codes, layer.keys(), layer.stored(), layer.residency());
    }

    /// All extents differ, so that none can be mistaken for another.
    private IndexedLayer layer(DType stored, boolean isOnHost) {
        return new IndexedLayer(
                new IndexedLayer.Landmarks(8, tensor(DType.BF16, 2, 20, 4), tensor(DType.I32, 2, 20)),
                new IndexedLayer.KeyFactor(tensor(DType.BF16, 160, 6), tensor(DType.BF16, 6, 8)),
                new IndexedLayer.StoredValues(
                        extent(stored, isOnHost, 144), List.of(extent(stored, isOnHost, 8), extent(stored, isOnHost, 5))),
                new IndexedLayer.Residency(
                        new AttendedRows(tensor(DType.BF16, 2, 77, 4), tensor(DType.BF16, 2, 77, 4)),
                        3,
                        tensor(DType.I32, 2, 7),
                        tensor(DType.I32, 2, 7),
                        tensor(DType.I32, 2, 5),
                        tensor(DType.I32, 2, 5),
                        tensor(DType.I32, 2, 5),
                        tensor(DType.I32, 2),
                        tensor(DType.I64, 2)));
    }

    private IndexedLayer.StoredValues.Extent extent(DType stored, boolean isOnHost, int tokens) {
        return new IndexedLayer.StoredValues.Extent(
                isOnHost ? tensor(stored, 2, tokens, 4) : onDevice(stored, 2, tokens, 4),
                stored == DType.BF16 ? null : tensor(DType.BF16, 2, tokens));
    }

    private Tensor tensor(DType dtype, int... extents) {
        Shape shape = Shape.of(extents);
        return Tensor.of(dtype, shape, arena.allocate(shape.elements() * dtype.bytes(), 16));
    }

    /// A tensor with a device address; its contents are not read.
    private static Tensor onDevice(DType dtype, int... extents) {
        Shape shape = Shape.of(extents);
        long bytes = shape.elements() * dtype.bytes();
        return new Tensor(dtype, shape, new DeviceMemory(DEVICE_ADDRESS, bytes, null), 0);
    }

    private static long address(@Nullable Tensor tensor) {
        if (tensor == null) {
            return 0;
        }
        return tensor.memory() instanceof DeviceMemory device
                ? device.address()
                : tensor.segment().address();
    }

    /// The fields of a struct of `tables.cuh`, read from the offsets that a C compiler uses: 8
    /// bytes per pointer, 4 per i32.
    private static Map<String, Long> read(String name, MemorySegment struct, int bytes) throws IOException {
        Matcher body = Pattern.compile("struct " + name + " \\{(.*?)^};", Pattern.DOTALL | Pattern.MULTILINE)
                .matcher(tables());
        assertThat(body.find()).as("struct " + name + " in tables.cuh").isTrue();
        Map<String, Long> values = new LinkedHashMap<>();
        long at = 0;
        Matcher field = FIELD.matcher(body.group(1));
        while (field.find()) {
            boolean isPointer = field.group(2) != null;
            assertThat(isPointer || field.group(1).equals("i32"))
                    .as("type of " + field.group())
                    .isTrue();
            boolean isArray = field.group(4) != null;
            for (int i = 0; i < (isArray ? IndexedLayer.StoredValues.MAX_FURTHER : 1); i++) {
                values.put(
                        isArray ? field.group(3) + " " + i : field.group(3),
                        isPointer
                                ? struct.get(ValueLayout.JAVA_LONG, at)
                                : (long) struct.get(ValueLayout.JAVA_INT, at));
                at += isPointer ? Long.BYTES : Integer.BYTES;
            }
        }
        assertThat(at).as("bytes of " + name).isEqualTo(bytes);
        return values;
    }

    private static String tables() throws IOException {
        try (InputStream stream = SlotMirrors.class.getResourceAsStream("/io/shadowkv/cuda/kernels/tables.cuh")) {
            assertThat(stream).isNotNull();
            return new String(stream.readAllBytes(), StandardCharsets.UTF_8);
        }
    }
}
