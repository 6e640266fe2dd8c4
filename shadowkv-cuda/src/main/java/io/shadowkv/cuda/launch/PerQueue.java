package io.shadowkv.cuda.launch;

import io.shadowkv.cuda.device.CudaQueue;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import java.util.function.Function;

/// An object for each queue, such as work space or descriptors, made when it is first requested.
/// Queues run at the same time, so they cannot share it. Thread-safe.
public final class PerQueue<T> {
    private final Map<CudaQueue, T> held = new ConcurrentHashMap<>();
    private final Function<CudaQueue, T> maker;

    public PerQueue(Function<CudaQueue, T> maker) {
        this.maker = maker;
    }

    public T of(CudaQueue queue) {
        return held.computeIfAbsent(queue, maker);
    }

    public void forEach(Consumer<T> action) {
        held.values().forEach(action);
    }
}
