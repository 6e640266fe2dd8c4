package io.shadowkv.cuda.launch;

import io.shadowkv.cuda.device.CudaQueue;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import java.util.function.Function;

/// Something of each queue's own (work space, descriptors), made when first asked for: queues run beside each other.
/// Thread-safe.
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
