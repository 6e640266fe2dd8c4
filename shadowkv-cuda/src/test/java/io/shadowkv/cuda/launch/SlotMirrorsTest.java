package io.shadowkv.cuda.launch;

import static org.assertj.core.api.Assertions.assertThat;

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
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/// Tests that Java writes the structs that `tables.cuh` reads, field by field.
class SlotMirrorsTest {
    private static final long DEVICE_ADDRESS = 0x7F00_0000_1000L;

    private static final Pattern FIELD = Pattern.compile("^ {4}(?:const )?(\\w+)(\\*)? (\\w+);.*$", Pattern.MULTILINE);

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
            expected.put("landmarks", address(layer.landmarks()));
            expected.put("unitIds", address(layer.unitIds()));
            expected.put("factor", address(layer.factor()));
            expected.put("basis", address(layer.basis()));
            expected.put("storedValues", address(layer.storedValues()));
            expected.put("storedScales", address(layer.storedScales()));
            expected.put("keys", address(layer.attended().keys()));
            expected.put("values", address(layer.attended().values()));
            expected.put("residentUnits", address(layer.residentUnits()));
            expected.put("slotAges", address(layer.slotAges()));
            expected.put("selectedSlots", address(layer.selectedSlots()));
            expected.put("missUnits", address(layer.missUnits()));
            expected.put("missSlots", address(layer.missSlots()));
            expected.put("missCounts", address(layer.missCounts()));
            expected.put("counters", address(layer.counters()));
            expected.put("unitTokens", 8L);
            expected.put("firstRow", 3L);
            expected.put("unitCapacity", 20L);
            expected.put("tokenCapacity", 160L);
            expected.put("attendedCapacity", 77L);
            expected.put("slots", 7L);
            expected.put("selected", 5L);
            expected.put("valueFormat", isOnHost ? 1L + format : format);
            assertThat(read("IndexedEntry", struct, SlotMirrors.INDEXED_BYTES))
                    .as("stored as " + stored + (isOnHost ? " on the host" : " on the device"))
                    .isEqualTo(expected);
        }
    }

    /// All extents differ, so that none can be mistaken for another.
    private IndexedLayer layer(DType stored, boolean isOnHost) {
        return new IndexedLayer(
                8,
                tensor(DType.BF16, 2, 20, 4),
                tensor(DType.I32, 2, 20),
                tensor(DType.BF16, 160, 6),
                tensor(DType.BF16, 6, 8),
                isOnHost ? tensor(stored, 2, 160, 4) : onDevice(stored, 2, 160, 4),
                stored == DType.BF16 ? null : tensor(DType.BF16, 2, 160),
                new AttendedRows(tensor(DType.BF16, 2, 77, 4), tensor(DType.BF16, 2, 77, 4)),
                3,
                tensor(DType.I32, 2, 7),
                tensor(DType.I32, 2, 7),
                tensor(DType.I32, 2, 5),
                tensor(DType.I32, 2, 5),
                tensor(DType.I32, 2, 5),
                tensor(DType.I32, 2),
                tensor(DType.I64, 2));
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
            values.put(
                    field.group(3),
                    isPointer ? struct.get(ValueLayout.JAVA_LONG, at) : (long) struct.get(ValueLayout.JAVA_INT, at));
            at += isPointer ? Long.BYTES : Integer.BYTES;
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
