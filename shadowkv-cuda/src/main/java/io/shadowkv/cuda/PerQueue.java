package io.shadowkv.cuda;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import java.util.function.Function;

/// Something of each queue's own (work space, descriptors), made when first asked for: queues run beside each other.
/// Thread-safe.
final class PerQueue<T> {
    private final Map<CudaQueue, T> held = new ConcurrentHashMap<>();
    private final Function<CudaQueue, T> maker;

    PerQueue(Function<CudaQueue, T> maker) {
        this.maker = maker;
    }

    T of(CudaQueue queue) {
        return held.computeIfAbsent(queue, maker);
    }

    void forEach(Consumer<T> action) {
        held.values().forEach(action);
    }
}
