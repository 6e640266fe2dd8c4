package io.shadowkv.checkpoint;

import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Shape;
import io.shadowkv.tensor.Tensor;
import io.shadowkv.text.JsonTree;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.channels.WritableByteChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import tools.jackson.databind.node.ObjectNode;

/// Collects tensors and writes them atomically as one safetensors file.
///
/// Values are read when [#write] runs, not before. Data is laid out with the widest types first, so
/// that every tensor is aligned to its type. Not thread-safe.
public final class SafetensorsWriter {
    private static final int BUFFER_BYTES = 1 << 16;

    /// Writes all bytes of one tensor, little-endian and row-major, to a channel, in any number of
    /// pieces.
    @FunctionalInterface
    public interface Body {
        void writeTo(WritableByteChannel channel) throws IOException;
    }

    private record Entry(String name, DType dtype, Shape shape, Body body) {
        long bytes() {
            return Math.multiplyExact(shape.elements(), (long) dtype.bytes());
        }
    }

    private final List<Entry> entries = new ArrayList<>();
    private final Set<String> names = new HashSet<>();
    private final Map<String, String> metadata = new TreeMap<>();

    /// Adds a tensor whose bytes `body` supplies; it may be larger than any array.
    ///
    /// @throws IllegalArgumentException if the name was added before or is `__metadata__`
    public SafetensorsWriter add(String name, DType dtype, Shape shape, Body body) {
        if (name.equals("__metadata__") || !names.add(name)) {
            throw new IllegalArgumentException("tensor \"" + name + "\" "
                    + (name.equals("__metadata__") ? "has a reserved name" : "was added before")
                    + "; choose another name");
        }
        entries.add(new Entry(name, dtype, shape, body));
        return this;
    }

    /// Adds an F32 tensor.
    ///
    /// @throws IllegalArgumentException if the number of `values` is not that of `shape`
    public SafetensorsWriter add(String name, Shape shape, float[] values) {
        checkCount(name, shape, values.length);
        return add(name, DType.F32, shape, channel -> {
            ByteBuffer buffer = ByteBuffer.allocate(BUFFER_BYTES).order(ByteOrder.LITTLE_ENDIAN);
            for (int done = 0; done < values.length; ) {
                int count = Math.min(BUFFER_BYTES / Float.BYTES, values.length - done);
                buffer.clear().asFloatBuffer().put(values, done, count);
                writeFully(channel, buffer.limit(count * Float.BYTES));
                done += count;
            }
        });
    }

    /// Adds an I32 tensor.
    ///
    /// @throws IllegalArgumentException if the number of `values` is not that of `shape`
    public SafetensorsWriter add(String name, Shape shape, int[] values) {
        checkCount(name, shape, values.length);
        return add(name, DType.I32, shape, channel -> {
            ByteBuffer buffer = ByteBuffer.allocate(BUFFER_BYTES).order(ByteOrder.LITTLE_ENDIAN);
            for (int done = 0; done < values.length; ) {
                int count = Math.min(BUFFER_BYTES / Integer.BYTES, values.length - done);
                buffer.clear().asIntBuffer().put(values, done, count);
                writeFully(channel, buffer.limit(count * Integer.BYTES));
                done += count;
            }
        });
    }

    /// Adds a tensor in host memory; its memory must stay valid until [#write] returns.
    public SafetensorsWriter add(String name, Tensor tensor) {
        MemorySegment segment = tensor.segment();
        return add(name, tensor.dtype(), tensor.shape(), channel -> {
            long piece = 1L << 24;
            for (long done = 0; done < segment.byteSize(); done += piece) {
                long count = Math.min(piece, segment.byteSize() - done);
                writeFully(channel, segment.asSlice(done, count).asByteBuffer());
            }
        });
    }

    /// Adds a free-form string to `__metadata__`.
    public SafetensorsWriter metadata(String key, String value) {
        metadata.put(key, value);
        return this;
    }

    /// Writes a temporary file in the folder of `target`, forces it to the disk and renames it.
    /// After a failure `target` is unchanged.
    ///
    /// @throws CheckpointException if the file cannot be written
    /// @throws IllegalStateException if a body wrote more or fewer bytes than its tensor has
    public void write(Path target) {
        List<Entry> ordered = new ArrayList<>(entries);
        ordered.sort(Comparator.comparingInt((Entry entry) -> -entry.dtype().bytes()));
        Path whole = target.toAbsolutePath();
        Path temporary = whole.resolveSibling("." + whole.getFileName() + "." + UUID.randomUUID() + ".tmp");
        try {
            try (FileChannel channel =
                    FileChannel.open(temporary, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
                writeFully(channel, ByteBuffer.wrap(header(ordered)));
                for (Entry entry : ordered) {
                    writeEntry(channel, entry);
                }
                channel.force(true);
            }
            Files.move(temporary, whole, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            long bytes = ordered.stream().mapToLong(Entry::bytes).sum();
            throw CheckpointException.io("write " + target + " (" + bytes + " bytes of tensors)", e);
        } finally {
            discard(temporary);
        }
    }

    /// Deletes the temporary file. A failure here is only logged: the exception that led here is
    /// the one to report.
    private static void discard(Path temporary) {
        try {
            Files.deleteIfExists(temporary);
        } catch (IOException e) {
            System.getLogger(SafetensorsWriter.class.getName())
                    .log(System.Logger.Level.WARNING, "cannot remove the temporary file " + temporary, e);
        }
    }

    private static void writeEntry(FileChannel channel, Entry entry) throws IOException {
        var counted = new CountingChannel(channel, entry.bytes());
        entry.body().writeTo(counted);
        if (counted.left != 0) {
            throw new IllegalStateException("tensor \"" + entry.name() + "\" is " + entry.shape() + " " + entry.dtype()
                    + ", " + entry.bytes() + " bytes, but its body wrote " + (entry.bytes() - counted.left));
        }
    }

    private byte[] header(List<Entry> ordered) {
        ObjectNode root = JsonTree.object();
        if (!metadata.isEmpty()) {
            ObjectNode strings = root.putObject("__metadata__");
            metadata.forEach(strings::put);
        }
        long begin = 0;
        for (Entry entry : ordered) {
            ObjectNode node = root.putObject(entry.name());
            node.put("dtype", SafetensorsHeader.typeName(entry.dtype()));
            var extents = node.putArray("shape");
            for (int extent : entry.shape().toArray()) {
                extents.add(extent);
            }
            long end = Math.addExact(begin, entry.bytes());
            node.putArray("data_offsets").add(begin).add(end);
            begin = end;
        }
        byte[] json = JsonTree.text(root).getBytes(StandardCharsets.UTF_8);
        // Spaces bring the data to a multiple of 8 bytes, as the reference implementation does.
        int padded = (json.length + 7) / 8 * 8;
        ByteBuffer header = ByteBuffer.allocate(Long.BYTES + padded).order(ByteOrder.LITTLE_ENDIAN);
        header.putLong(padded).put(json);
        while (header.hasRemaining()) {
            header.put((byte) ' ');
        }
        return header.array();
    }

    private static void writeFully(WritableByteChannel channel, ByteBuffer bytes) throws IOException {
        while (bytes.hasRemaining()) {
            channel.write(bytes);
        }
    }

    private static void checkCount(String name, Shape shape, int count) {
        if (shape.elements() != count) {
            throw new IllegalArgumentException("tensor \"" + name + "\" is " + shape + ", " + shape.elements()
                    + " elements, but has " + count + " values");
        }
    }

    /// A channel that rejects bytes beyond the end of a tensor; closing it does nothing.
    private static final class CountingChannel implements WritableByteChannel {
        private final FileChannel channel;
        private long left;

        CountingChannel(FileChannel channel, long bytes) {
            this.channel = channel;
            this.left = bytes;
        }

        @Override
        public int write(ByteBuffer source) throws IOException {
            if (source.remaining() > left) {
                throw new IllegalStateException("a tensor's body writes " + source.remaining() + " bytes where only "
                        + left + " are left of the tensor");
            }
            int written = channel.write(source);
            left -= written;
            return written;
        }

        @Override
        public boolean isOpen() {
            return channel.isOpen();
        }

        @Override
        public void close() {}
    }
}
