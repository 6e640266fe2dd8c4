package io.shadowkv.checkpoint;

import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Shape;
import io.shadowkv.tensor.Tensor;
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
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/// Collects tensors and writes them as one safetensors file that appears whole or not at all.
///
/// Values are read when [#write] runs, not before. Data is laid out with the widest types first, so that every
/// tensor is aligned to its type. For use by one thread.
public final class SafetensorsWriter {
    private static final int BUFFER_BYTES = 1 << 16;

    /// Writes all bytes of one tensor, little-endian and row-major, to a channel; may do so in any number of
    /// pieces.
    @FunctionalInterface
    public interface Body {
        void writeTo(WritableByteChannel channel) throws IOException;
    }

    private record Part(String name, DType dtype, Shape shape, Body body) {
        long bytes() {
            return Math.multiplyExact(shape.elements(), (long) dtype.bytes());
        }
    }

    private final List<Part> parts = new ArrayList<>();
    private final Set<String> names = new HashSet<>();
    private final Map<String, String> metadata = new TreeMap<>();

    /// Adds a tensor whose bytes `body` supplies; it may be larger than any array.
    ///
    /// @throws IllegalArgumentException if the name is taken or is `__metadata__`
    public SafetensorsWriter add(String name, DType dtype, Shape shape, Body body) {
        if (name.equals("__metadata__") || !names.add(name)) {
            throw new IllegalArgumentException("tensor \"" + name + "\" "
                    + (name.equals("__metadata__") ? "has a reserved name" : "was added before")
                    + "; choose another name");
        }
        parts.add(new Part(name, dtype, shape, body));
        return this;
    }

    /// Adds an F32 tensor.
    ///
    /// @throws IllegalArgumentException if `values` and `shape` differ in count
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
    /// @throws IllegalArgumentException if `values` and `shape` differ in count
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

    /// Writes a temporary file beside `target`, forces it to the disk and renames it; a failure leaves what was
    /// there.
    ///
    /// @throws CheckpointException if the file cannot be written
    /// @throws IllegalStateException if a body wrote more or fewer bytes than its tensor has
    public void write(Path target) {
        List<Part> ordered = new ArrayList<>(parts);
        ordered.sort(Comparator.comparingInt((Part part) -> -part.dtype().bytes()));
        Path whole = target.toAbsolutePath();
        Path temporary = whole.resolveSibling("." + whole.getFileName() + "." + UUID.randomUUID() + ".tmp");
        try {
            try (FileChannel channel =
                    FileChannel.open(temporary, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
                writeFully(channel, ByteBuffer.wrap(header(ordered)));
                for (Part part : ordered) {
                    writePart(channel, part);
                }
                channel.force(true);
            }
            Files.move(temporary, whole, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            long bytes = ordered.stream().mapToLong(Part::bytes).sum();
            throw CheckpointException.io("cannot write " + target + " (" + bytes + " bytes of tensors)", e);
        } finally {
            discard(temporary);
        }
    }

    /// A failure that left the file behind is the one worth reporting.
    private static void discard(Path temporary) {
        try {
            Files.deleteIfExists(temporary);
        } catch (IOException e) {
            System.getLogger(SafetensorsWriter.class.getName())
                    .log(System.Logger.Level.WARNING, "cannot remove the temporary file " + temporary, e);
        }
    }

    private static void writePart(FileChannel channel, Part part) throws IOException {
        var counted = new CountingChannel(channel, part.bytes());
        part.body().writeTo(counted);
        if (counted.left != 0) {
            throw new IllegalStateException("tensor \"" + part.name() + "\" is " + part.shape() + " " + part.dtype()
                    + ", " + part.bytes() + " bytes, but its body wrote " + (part.bytes() - counted.left));
        }
    }

    private byte[] header(List<Part> ordered) {
        ObjectNode root = JsonMapper.shared().createObjectNode();
        if (!metadata.isEmpty()) {
            ObjectNode strings = root.putObject("__metadata__");
            metadata.forEach(strings::put);
        }
        long begin = 0;
        for (Part part : ordered) {
            ObjectNode entry = root.putObject(part.name());
            entry.put("dtype", SafetensorsHeader.typeName(part.dtype()));
            var extents = entry.putArray("shape");
            for (int extent : part.shape().toArray()) {
                extents.add(extent);
            }
            long end = Math.addExact(begin, part.bytes());
            entry.putArray("data_offsets").add(begin).add(end);
            begin = end;
        }
        byte[] json = root.toString().getBytes(StandardCharsets.UTF_8);
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

    /// Stops a body from writing into its neighbour; closing it does nothing.
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
