package io.shadowkv.cuda.ffi;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.util.stream.LongStream;

/// Anonymous pages of the system (`mmap`), huge ones if the system has them: the device then needs
/// a 512th of the address translations to lock and read them.
public final class HostPages {
    private static final int READ_WRITE = 3;
    private static final int PRIVATE_ANONYMOUS = 0x22;
    private static final int HUGE_PAGE_ADVICE = 14;
    private static final long PAGE = 4096;
    private static final long PIECE = 64L << 20;

    private final MethodHandle mmap =
            handle("mmap", FunctionDescriptor.of(ADDRESS, ADDRESS, JAVA_LONG, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_LONG));
    private final MethodHandle munmap = handle("munmap", FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_LONG));
    private final MethodHandle madvise =
            handle("madvise", FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_LONG, JAVA_INT));

    private static MethodHandle handle(String name, FunctionDescriptor descriptor) {
        Linker linker = Linker.nativeLinker();
        return linker.downcallHandle(linker.defaultLookup().findOrThrow(name), descriptor);
    }

    /// Maps zeroed memory with all pages present; null if the system has too little memory.
    public @org.jspecify.annotations.Nullable MemorySegment map(long bytes) {
        MemorySegment pages;
        try {
            pages = (MemorySegment) mmap.invokeExact(MemorySegment.NULL, bytes, READ_WRITE, PRIVATE_ANONYMOUS, -1, 0L);
        } catch (Throwable t) {
            throw new IllegalStateException("mmap could not be called", t);
        }
        if (pages.address() == -1) {
            return null;
        }
        MemorySegment segment = pages.reinterpret(bytes);
        try {
            // A system without huge pages refuses; small pages then serve.
            int ignored = (int) madvise.invokeExact(segment, bytes, HUGE_PAGE_ADVICE);
        } catch (Throwable t) {
            throw new IllegalStateException("madvise could not be called", t);
        }
        pieces(bytes).forEach(from -> {
            for (long at = from; at < Math.min(bytes, from + PIECE); at += PAGE) {
                segment.set(JAVA_BYTE, at, (byte) 0);
            }
        });
        return segment;
    }

    /// Fills with zeros, on all processor cores.
    public void zero(MemorySegment segment) {
        long bytes = segment.byteSize();
        pieces(bytes)
                .forEach(from ->
                        segment.asSlice(from, Math.min(PIECE, bytes - from)).fill((byte) 0));
    }

    private static LongStream pieces(long bytes) {
        return LongStream.range(0, Math.ceilDiv(bytes, PIECE))
                .map(i -> i * PIECE)
                .parallel();
    }

    public void unmap(MemorySegment segment) {
        try {
            int status = (int) munmap.invokeExact(segment, segment.byteSize());
            if (status != 0) {
                throw new IllegalStateException("munmap of " + segment + " failed");
            }
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable t) {
            throw new IllegalStateException("munmap could not be called", t);
        }
    }
}
