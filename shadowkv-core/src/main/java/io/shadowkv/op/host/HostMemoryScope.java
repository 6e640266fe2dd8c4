package io.shadowkv.op.host;

import io.shadowkv.op.Backend;
import io.shadowkv.op.BackendMemoryException;
import io.shadowkv.op.MemoryScope;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.HostMemory;
import io.shadowkv.tensor.Shape;
import io.shadowkv.tensor.Tensor;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/// Memory of backends that compute on the host. Both places are off-heap memory, counted separately
/// and aligned to 64 bytes. [Backend.Place#HOST] may use mapped files instead, which the system
/// pages out when memory is short.
public final class HostMemoryScope implements MemoryScope {
    private static final int ALIGNMENT = 64;
    private static final int ZEROS = 1 << 20;

    private final String purpose;
    private final @Nullable Path offloadFolder;
    private final Arena arena = Arena.ofShared();
    private final AtomicLong deviceBytes = new AtomicLong();
    private final AtomicLong hostBytes = new AtomicLong();
    private boolean closed;

    /// @param purpose what the memory is for; used in messages
    public HostMemoryScope(String purpose) {
        this(purpose, null);
    }

    /// @param offloadFolder folder of the mapped files that hold [Backend.Place#HOST], or null for
    ///     ordinary memory
    public HostMemoryScope(String purpose, @Nullable Path offloadFolder) {
        this.purpose = purpose;
        this.offloadFolder = offloadFolder;
    }

    @Override
    public Tensor allocate(Backend.Place place, DType dtype, int... extents) {
        Shape shape = Shape.of(extents);
        long bytes = Math.multiplyExact(shape.elements(), (long) dtype.bytes());
        try {
            MemorySegment segment = place == Backend.Place.HOST && offloadFolder != null
                    ? mapFile(offloadFolder, bytes)
                    : arena.allocate(Math.max(bytes, 1), ALIGNMENT);
            var memory = new HostMemory(segment);
            counter(place).addAndGet(bytes);
            return new Tensor(dtype, shape, memory, 0);
        } catch (OutOfMemoryError error) {
            throw new BackendMemoryException(
                    "cannot allocate " + bytes + " bytes (" + dtype + " " + shape + ") for " + purpose
                            + "; shorten the context, shrink the batch or choose ShadowKV",
                    error);
        }
    }

    /// Maps a file of zeros. The zeros are written out, so that a full disk is detected here and
    /// not at a later access. The file is deleted as soon as it is mapped, so that nothing is left
    /// behind however the process ends.
    private MemorySegment mapFile(Path folder, long bytes) {
        try {
            Path file = Files.createTempFile(folder, "shadowkv-values-", ".tmp");
            try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
                ByteBuffer zeros = ByteBuffer.allocateDirect(ZEROS);
                for (long written = 0; written < bytes; ) {
                    zeros.clear().limit((int) Math.min(ZEROS, bytes - written));
                    written += channel.write(zeros, written);
                }
                return channel.map(FileChannel.MapMode.READ_WRITE, 0, bytes, arena);
            } finally {
                Files.delete(file);
            }
        } catch (IOException e) {
            throw new BackendMemoryException(
                    "cannot store " + bytes + " bytes for " + purpose + " in the offload folder " + folder + ": "
                            + e.getMessage() + "; free disk space or name another folder",
                    e);
        }
    }

    @Override
    public long bytes(Backend.Place place) {
        return counter(place).get();
    }

    @Override
    public synchronized void close() {
        if (!closed) {
            closed = true;
            arena.close();
            deviceBytes.set(0);
            hostBytes.set(0);
        }
    }

    private AtomicLong counter(Backend.Place place) {
        return place == Backend.Place.DEVICE ? deviceBytes : hostBytes;
    }
}
