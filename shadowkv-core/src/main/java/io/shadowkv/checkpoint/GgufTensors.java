package io.shadowkv.checkpoint;

import io.shadowkv.tensor.BlockFormat;
import io.shadowkv.tensor.BlockWeight;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.HostMemory;
import io.shadowkv.tensor.Shape;
import io.shadowkv.tensor.Tensor;
import io.shadowkv.tensor.Weight;
import io.shadowkv.text.gguf.GgufHeader;
import io.shadowkv.text.gguf.GgufTensor;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.UnaryOperator;

/// The tensors of one GGUF file, mapped into memory, under the names that the same tensors have in
/// a safetensors checkpoint ([GgufNames]). Immutable and safe to share between threads; valid as
/// long as the arena.
final class GgufTensors implements TensorFile {
    /// More than any model has; a damaged file may state any number.
    private static final int MOST_EXPERTS = 4096;

    private record Entry(GgufTensor stated, GgmlType type, long begin, long bytes) {}

    private final Path file;
    private final HostMemory data;
    private final Map<String, Entry> entries;

    private GgufTensors(Path file, HostMemory data, Map<String, Entry> entries) {
        this.file = file;
        this.data = data;
        this.entries = entries;
    }

    /// Maps a file until `arena` closes and checks the place of each tensor.
    ///
    /// @param naming the safetensors name of each tensor of the file
    /// @throws CheckpointException if a tensor has an unknown type, or does not lie in the file
    static GgufTensors open(GgufHeader header, UnaryOperator<String> naming, Arena arena) {
        Path file = header.file();
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            long size = channel.size();
            MemorySegment mapped = channel.map(FileChannel.MapMode.READ_ONLY, 0, size, arena);
            Map<String, Entry> entries = new LinkedHashMap<>();
            for (Entry entry : checked(header, size)) {
                String name = naming.apply(entry.stated().name());
                if (GgufNames.isStack(name)) {
                    List<Entry> parts = split(header, entry);
                    for (int expert = 0; expert < parts.size(); expert++) {
                        entries.put(GgufNames.expert(name, expert), parts.get(expert));
                    }
                } else {
                    entries.put(name, entry);
                }
            }
            return new GgufTensors(file, new HostMemory(mapped), entries);
        } catch (IOException e) {
            throw CheckpointException.io("map " + file, e);
        }
    }

    /// The tensors in the order of their data.
    private static List<Entry> checked(GgufHeader header, long size) {
        List<Entry> entries = new ArrayList<>();
        for (GgufTensor tensor : header.tensors()) {
            entries.add(entry(header, tensor));
        }
        entries.sort(Comparator.comparingLong(Entry::begin));
        long end = header.dataStart();
        String previous = "the header";
        for (Entry entry : entries) {
            String what = header.source() + ": " + describe(entry);
            if (entry.begin() < end) {
                throw new CheckpointException(what + " and starts at byte " + entry.begin() + ", before the end of "
                        + previous + " at " + end);
            }
            if (entry.bytes() > size - entry.begin()) {
                throw new CheckpointException(what + " and ends at byte " + (entry.begin() + entry.bytes())
                        + "; the file has " + size + ". It is cut; fetch it again");
            }
            end = entry.begin() + entry.bytes();
            previous = SafetensorsHeader.label(entry.stated().name());
        }
        return entries;
    }

    /// The matrices of a stack, `[experts, out, in]`, which lie one after the other.
    private static List<Entry> split(GgufHeader header, Entry stack) {
        long[] extents = stack.stated().extents();
        if (extents.length != 3 || extents[0] < 1 || extents[0] > MOST_EXPERTS) {
            throw new CheckpointException(header.source() + ": " + describe(stack) + "; expected a matrix for each of 1"
                    + " to " + MOST_EXPERTS + " experts");
        }
        List<Entry> parts = new ArrayList<>();
        long bytes = stack.bytes() / extents[0];
        for (int i = 0; i < extents[0]; i++) {
            var matrix = new GgufTensor(
                    stack.stated().name() + "[" + i + "]",
                    new long[] {extents[1], extents[2]},
                    stack.stated().type(),
                    stack.stated().offset() + i * bytes);
            parts.add(new Entry(matrix, stack.type(), stack.begin() + i * bytes, bytes));
        }
        return parts;
    }

    private static Entry entry(GgufHeader header, GgufTensor tensor) {
        String what = header.source() + ": " + SafetensorsHeader.label(tensor.name()) + " is "
                + Arrays.toString(tensor.extents());
        GgmlType type = GgmlType.of(tensor.type())
                .orElseThrow(() -> new CheckpointException(what + " of the type number "
                        + Integer.toUnsignedString(tensor.type())
                        + ", which is not one of ggml's. The file is damaged or of a later version"));
        long inner = tensor.extents()[tensor.extents().length - 1];
        if (inner % type.blockElements() != 0) {
            throw new CheckpointException(what + " " + type + "; expected rows of a multiple of " + type.blockElements()
                    + " elements. The file is damaged");
        }
        try {
            long begin = Math.addExact(header.dataStart(), tensor.offset());
            long bytes = type.bytes(tensor.elements());
            if (tensor.offset() < 0) {
                throw new CheckpointException(what + " " + type + " at data byte "
                        + Long.toUnsignedString(tensor.offset()) + ". The file is damaged");
            }
            Math.addExact(begin, bytes);
            return new Entry(tensor, type, begin, bytes);
        } catch (ArithmeticException e) {
            throw new CheckpointException(what + " " + type + ", more than 2^63 bytes. The file is damaged", e);
        }
    }

    @Override
    public Set<String> names() {
        return Collections.unmodifiableSet(entries.keySet());
    }

    @Override
    public boolean has(String name) {
        return entries.containsKey(name);
    }

    @Override
    public Tensor tensor(String name) {
        Entry entry = entry(name);
        Optional<DType> dtype = Arrays.stream(DType.values())
                .filter(known -> known.name().equals(entry.type().name()))
                .findFirst();
        return new Tensor(
                dtype.orElseThrow(
                        () -> new CheckpointException(describe(name) + "; expected plain numbers, such as F32")),
                Shape.of(extents(name, entry)),
                data,
                entry.begin());
    }

    @Override
    public Weight weight(String name) {
        Entry entry = entry(name);
        Optional<BlockFormat> format = BlockFormat.named(entry.type().name());
        if (format.isEmpty()) {
            if (entry.type().blockElements() > 1) {
                throw new CheckpointException(describe(name) + "; this engine reads F32, F16, BF16 and "
                        + Arrays.toString(BlockFormat.values())
                        + ". Take a file in one of these formats, such as Q4_K_M");
            }
            return tensor(name);
        }
        int[] extents = extents(name, entry);
        if (extents.length != 2) {
            throw new CheckpointException(describe(name) + "; expected a matrix");
        }
        return new BlockWeight(format.get(), extents[0], extents[1], data, entry.begin());
    }

    @Override
    public String typeName(String name) {
        return entry(name).type().name();
    }

    @Override
    public long elements(String name) {
        return entry(name).stated().elements();
    }

    @Override
    public long bytes(String name) {
        return entry(name).bytes();
    }

    @Override
    public String describe(String name) {
        return file.getFileName() + ": " + describe(entry(name));
    }

    @Override
    public String label(String name) {
        return SafetensorsHeader.label(entry(name).stated().name());
    }

    private static String describe(Entry entry) {
        return SafetensorsHeader.label(entry.stated().name()) + " is "
                + Arrays.toString(entry.stated().extents()) + " " + entry.type();
    }

    @Override
    public void addTo(Fingerprint fingerprint, String name) {
        Entry entry = entry(name);
        fingerprint.add(
                name,
                entry.type().name(),
                entry.stated().extents(),
                data.segment().asSlice(entry.begin(), entry.bytes()));
    }

    private Entry entry(String name) {
        Entry entry = entries.get(name);
        if (entry == null) {
            throw new CheckpointException(
                    file.getFileName() + ": no " + SafetensorsHeader.label(name) + " among its " + entries.size());
        }
        return entry;
    }

    private int[] extents(String name, Entry entry) {
        for (long extent : entry.stated().extents()) {
            if (extent > Integer.MAX_VALUE) {
                throw new CheckpointException(describe(name) + "; an extent is at most " + Integer.MAX_VALUE);
            }
        }
        return Arrays.stream(entry.stated().extents())
                .mapToInt(extent -> (int) extent)
                .toArray();
    }
}
