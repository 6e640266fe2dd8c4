package io.shadowkv.checkpoint;

import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.HostMemory;
import io.shadowkv.tensor.Shape;
import io.shadowkv.tensor.Tensor;
import io.shadowkv.tensor.Weight;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.Collections;
import java.util.Map;
import java.util.Set;

/// One safetensors file, mapped into memory; its tensors are views of the mapping.
///
/// Layout: 8 bytes little-endian header length, a JSON header, then the data. The header is checked
/// completely when the file is opened, so that no view can reach outside the file. Immutable and
/// safe to share between threads. The mapping is valid as long as the arena. The file must not be
/// truncated meanwhile: a read beyond its end would cause a fault.
///
/// Data may start at any byte, so a tensor may not be aligned to its type: use unaligned layouts.
public final class Safetensors implements TensorFile {
    /// The reference implementation's limit for a header, in bytes.
    static final long MAX_HEADER_BYTES = 100_000_000;

    private static final ValueLayout.OfLong LENGTH = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final Path file;
    private final SafetensorsHeader header;
    private final HostMemory data;

    private Safetensors(Path file, SafetensorsHeader header, MemorySegment data) {
        this.file = file;
        this.header = header;
        this.data = new HostMemory(data);
    }

    /// Maps `file` until `arena` closes.
    ///
    /// @throws CheckpointException if the file is missing, unreadable or truncated, or its header
    ///     violates the format
    public static Safetensors open(Path file, Arena arena) {
        String source = String.valueOf(file.getFileName());
        if (!Files.isRegularFile(file)) {
            throw new CheckpointException(
                    source + ": no such file in " + file.toAbsolutePath().getParent());
        }
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            long size = channel.size();
            if (size < Long.BYTES) {
                throw new CheckpointException(source + ": " + size
                        + " bytes are too few for a safetensors file. It is cut;" + " fetch it again");
            }
            MemorySegment mapped = channel.map(FileChannel.MapMode.READ_ONLY, 0, size, arena);
            FileKind.refuseOther(
                    source,
                    mapped.asSlice(0, Math.min(size, FileKind.HEAD_BYTES)).toArray(ValueLayout.JAVA_BYTE));
            long length = mapped.get(LENGTH, 0);
            checkHeaderLength(source, length, size);
            SafetensorsHeader.checkStart(source, length > 0 ? mapped.get(ValueLayout.JAVA_BYTE, Long.BYTES) : 0);
            byte[] text = mapped.asSlice(Long.BYTES, length).toArray(ValueLayout.JAVA_BYTE);
            long dataStart = Long.BYTES + length;
            return new Safetensors(
                    file, SafetensorsHeader.parse(source, text, size - dataStart), mapped.asSlice(dataStart));
        } catch (NoSuchFileException e) {
            throw new CheckpointException(
                    source + ": no such file in " + file.toAbsolutePath().getParent(), e);
        } catch (IOException e) {
            throw CheckpointException.io("map " + file, e);
        }
    }

    private static void checkHeaderLength(String source, long length, long fileBytes) {
        if (length < 0 || length > MAX_HEADER_BYTES) {
            throw new CheckpointException(
                    source + ": the header claims " + Long.toUnsignedString(length) + " bytes; at most "
                            + MAX_HEADER_BYTES + " are allowed. This is not a safetensors file, or it is damaged");
        }
        if (length > fileBytes - Long.BYTES) {
            throw new CheckpointException(source + ": the header claims " + length + " bytes, the file has " + fileBytes
                    + ". It is cut; fetch it again");
        }
    }

    public Path file() {
        return file;
    }

    /// Names of all tensors, in the order of their data.
    @Override
    public Set<String> names() {
        return Collections.unmodifiableSet(header.entries().keySet());
    }

    @Override
    public boolean has(String name) {
        return header.entries().containsKey(name);
    }

    /// The free-form strings under `__metadata__`.
    public Map<String, String> metadata() {
        return header.metadata();
    }

    /// Total bytes of all tensors.
    public long dataBytes() {
        return data.byteSize();
    }

    /// A view of the mapped data; valid until the arena closes.
    ///
    /// @throws CheckpointException if there is no such tensor, or the engine does not support its
    ///     type or an extent
    @Override
    public Tensor tensor(String name) {
        SafetensorsHeader.Entry entry = entry(name);
        DType dtype = entry.dtype();
        if (dtype == null) {
            throw new CheckpointException(
                    describe(name) + "; types that can be read are " + SafetensorsHeader.typeNames());
        }
        return new Tensor(dtype, shape(name, entry), data, entry.begin());
    }

    @Override
    public Weight weight(String name) {
        return tensor(name);
    }

    @Override
    public String label(String name) {
        return SafetensorsHeader.label(name);
    }

    /// Adds a tensor of any type to a fingerprint.
    @Override
    public void addTo(Fingerprint fingerprint, String name) {
        SafetensorsHeader.Entry entry = entry(name);
        fingerprint.add(
                name,
                entry.typeName(),
                entry.extents(),
                data.segment().asSlice(entry.begin(), entry.end() - entry.begin()));
    }

    /// The type of one tensor, as the file spells it.
    @Override
    public String typeName(String name) {
        return entry(name).typeName();
    }

    /// Number of elements of one tensor of any type.
    @Override
    public long elements(String name) {
        return entry(name).elements();
    }

    /// Number of bytes of one tensor.
    @Override
    public long bytes(String name) {
        SafetensorsHeader.Entry entry = entry(name);
        return entry.end() - entry.begin();
    }

    /// File, name, extents and type of a tensor, for messages.
    @Override
    public String describe(String name) {
        SafetensorsHeader.Entry entry = entry(name);
        return file.getFileName() + ": " + SafetensorsHeader.label(name) + " is " + Arrays.toString(entry.extents())
                + " " + Json.shorten(entry.typeName());
    }

    private SafetensorsHeader.Entry entry(String name) {
        SafetensorsHeader.Entry entry = header.entries().get(name);
        if (entry == null) {
            throw new CheckpointException(file.getFileName() + ": no " + SafetensorsHeader.label(name) + " among its "
                    + header.entries().size());
        }
        return entry;
    }

    private Shape shape(String name, SafetensorsHeader.Entry entry) {
        int[] extents = new int[entry.extents().length];
        for (int i = 0; i < extents.length; i++) {
            if (entry.extents()[i] > Integer.MAX_VALUE) {
                throw new CheckpointException(describe(name) + "; an extent is at most " + Integer.MAX_VALUE);
            }
            extents[i] = (int) entry.extents()[i];
        }
        try {
            return Shape.of(extents);
        } catch (ArithmeticException e) {
            throw new CheckpointException(describe(name) + "; that is more than 2^63 elements", e);
        }
    }
}
