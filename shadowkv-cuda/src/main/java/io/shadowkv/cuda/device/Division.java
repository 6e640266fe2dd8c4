package io.shadowkv.cuda.device;

import io.shadowkv.cuda.device.CudaQueue.Lane;
import io.shadowkv.cuda.ffi.CudaException;
import io.shadowkv.cuda.ffi.GreenContexts;
import io.shadowkv.cuda.ffi.GreenContexts.Part;
import io.shadowkv.cuda.ffi.NativeLibrary.LibraryMissingException;
import io.shadowkv.tensor.CloseAll;
import java.util.ArrayList;
import java.util.List;

/// The multiprocessors of a device in two parts. While it is in use, the main queue and the copy
/// queue have the smaller part, and a reading queue and the side queue have the other one. A decode
/// step waits for memory most of the time, so a few multiprocessors carry it; the products of a
/// prompt need many. On one part, each kernel of a step would wait until blocks of the prompt end.
public final class Division implements AutoCloseable {
    /// The device divides in steps of this size (compute capability 9.0).
    private static final int STEP = 8;

    private final CudaContext context;
    private final List<Part> parts;
    private final List<Long> streams = new ArrayList<>();
    private final Lane main;
    private final Lane copy;
    private final Lane side;
    private final SideWork reading;

    /// @param readingShare share of the multiprocessors for reading, between 0 and 1
    private Division(CudaContext context, GreenContexts green, double readingShare) {
        this.context = context;
        int all = context.allMultiprocessors();
        int least = Math.clamp(Math.round((1 - readingShare) * all / STEP) * STEP, STEP, all - STEP);
        this.parts = green.divide(context.device(), least);
        Part decoding = parts.getFirst();
        Part rest = parts.getLast();
        this.main = lane(green, decoding, 0);
        this.copy = lane(green, decoding, -1);
        this.side = lane(green, rest, 0);
        this.reading = new SideWork(context, new CudaQueue(context, lane(green, rest, 0)), "shadowkv-cuda-reading");
    }

    private Lane lane(GreenContexts green, Part part, int priority) {
        long stream = green.cuGreenCtxStreamCreate(part.context(), priority);
        streams.add(stream);
        return new Lane(stream, part.multiprocessors());
    }

    static Division open(CudaContext context, double readingShare) {
        context.makeCurrent();
        return new Division(context, context.driver().greenContexts(), readingShare);
    }

    /// True if the driver and the device can be divided.
    static boolean isPossible(CudaContext context) {
        context.makeCurrent();
        try {
            GreenContexts green = context.driver().greenContexts();
            CloseAll.of(green.divide(context.device(), STEP), part -> green.cuGreenCtxDestroy(part.context()));
            return true;
        } catch (CudaException | LibraryMissingException e) {
            return false;
        }
    }

    Lane main() {
        return main;
    }

    Lane copy() {
        return copy;
    }

    Lane side() {
        return side;
    }

    /// Enqueues on the reading queue.
    public SideWork reading() {
        return reading;
    }

    @Override
    public void close() {
        reading.close();
        context.makeCurrent();
        GreenContexts green = context.driver().greenContexts();
        streams.forEach(context.driver()::cuStreamDestroy);
        parts.forEach(part -> green.cuGreenCtxDestroy(part.context()));
    }
}
