package io.shadowkv.cache.shadow;

import io.shadowkv.cache.LayerFetches;
import io.shadowkv.cache.ParkedTensors;
import io.shadowkv.cache.SequenceCache;
import io.shadowkv.cache.shadow.index.LayerMemory;
import io.shadowkv.op.Backend;
import io.shadowkv.op.MemoryScope;
import io.shadowkv.tensor.CloseAll;
import io.shadowkv.tensor.Tensor;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// The layers of one sequence, and their memory.
///
/// What grows by copying (the entries of the index and the key factor) has a scope for each layer,
/// so that growing needs memory for one further layer only. Values grow by extents. If the
/// sequence does not grow, one scope has all device memory.
final class ShadowLayers implements SequenceCache.Parking, AutoCloseable {
    private final Backend backend;
    private final @Nullable ShadowLayers base;
    private final MemoryScope host;
    private final List<MemoryScope> growing = new ArrayList<>();
    private final List<ResidentBuffer> resident = new ArrayList<>();
    private final List<ShadowLayer> layers = new ArrayList<>();
    private ShadowLayout layout;
    private MemoryScope device;
    private @Nullable ParkedTensors parked;

    /// @param base the layers whose index a fork shares; null for a sequence of its own
    ShadowLayers(ShadowLayout layout, Backend backend, @Nullable ShadowLayers base) {
        this.layout = layout;
        this.backend = backend;
        this.base = base;
        this.host = backend.newScope("offloaded values, sequence of " + layout.capacity() + " tokens");
        this.device = deviceScope();
        try {
            allocate(List.of());
        } catch (RuntimeException e) {
            close();
            throw e;
        }
    }

    private String purpose() {
        return "ShadowKV's " + (base == null ? "cache" : "fork") + " of a sequence of " + layout.capacity() + " tokens";
    }

    private MemoryScope deviceScope() {
        return backend.newScope(purpose(), base == null ? layout.fixedBytes() : layout.forkBytes());
    }

    /// @param held layers of a parked sequence; empty for a new one
    private void allocate(List<ShadowLayer> held) {
        Map<LayerLayout, LayerMemory> memories = memories();
        for (int i = 0; i < layout.shape().layers(); i++) {
            LayerMemory memory = Objects.requireNonNull(memories.get(layout.layer(i)));
            if (base != null) {
                layers.add(base.layers.get(i).fork(layout.layer(i), backend, memory));
            } else if (layout.isAlwaysWhole()) {
                resident.add(new ResidentBuffer(layout.layer(i), backend, memory));
            } else {
                LayerMemory index = layout.grows() ? new LayerMemory(growingScope(), 1) : memory;
                ValueStore values = held.isEmpty() ? null : held.get(i).values();
                layers.add(new ShadowLayer(
                        layout, i, backend, new ShadowLayer.Memory(memory, index, device, host), values));
            }
            if (!layout.isAlwaysWhole() || base != null) {
                resident.add(layers.get(i).resident());
            }
            memory.nextLayer();
        }
    }

    /// Layers of the same extents share allocations.
    private Map<LayerLayout, LayerMemory> memories() {
        Map<LayerLayout, Integer> counts = new HashMap<>();
        for (int layer = 0; layer < layout.shape().layers(); layer++) {
            counts.merge(layout.layer(layer), 1, Integer::sum);
        }
        Map<LayerLayout, LayerMemory> memories = new HashMap<>();
        counts.forEach((rows, number) -> memories.put(rows, new LayerMemory(device, number)));
        return memories;
    }

    private MemoryScope growingScope() {
        MemoryScope scope = growingScope(layout);
        growing.add(scope);
        return scope;
    }

    private MemoryScope growingScope(ShadowLayout size) {
        return backend.newScope(
                "the index of one layer, sequence of " + layout.capacity() + " tokens", size.growingLayerBytes());
    }

    ShadowLayout layout() {
        return layout;
    }

    int size() {
        return layout.shape().layers();
    }

    ResidentBuffer resident(int layer) {
        return resident.get(layer);
    }

    List<ResidentBuffer> resident() {
        return resident;
    }

    ShadowLayer get(int layer) {
        return layers.get(layer);
    }

    /// All tensors by the names that saved files give them.
    Map<String, Tensor> tensors() {
        return StateTensors.of(resident, layers);
    }

    /// Copies everything to layers of the same layout. Waits for the backend.
    void copyTo(ShadowLayers target) {
        Map<String, Tensor> targets = target.tensors();
        tensors().forEach((name, tensor) -> backend.operations()
                .dense()
                .copy(tensor, Objects.requireNonNull(targets.get(name))));
        backend.synchronize();
    }

    /// Copies the resident rows of a whole sequence. Waits for the backend.
    void copyWhole(ShadowLayers target, int tokens) {
        for (int layer = 0; layer < resident.size(); layer++) {
            resident.get(layer).copyWhole(target.resident.get(layer), tokens);
        }
        backend.synchronize();
    }

    /// Copies outliers and recent tokens. Waits for the backend.
    void copyKept(ShadowLayers target, int recent) {
        for (int layer = 0; layer < resident.size(); layer++) {
            resident.get(layer).copyKept(target.resident.get(layer), recent);
        }
        backend.synchronize();
    }

    /// Units selected and missed so far. Waits for the backend.
    SequenceCache.Selections selections() {
        long selected = 0;
        long missed = 0;
        for (ShadowLayer layer : layers) {
            long[] counters = backend.downloadLongs(layer.selector().counters());
            selected += counters[0];
            missed += counters[1];
        }
        return new SequenceCache.Selections(selected, missed);
    }

    /// What each layer has selected and fetched. Waits for the backend.
    List<LayerFetches> fetches() {
        return layers.stream().map(layer -> layer.fetches(backend)).toList();
    }

    /// Adds memory. Waits for the backend. After a failure, some of the memory has been added, and
    /// a further call adds the rest.
    ///
    /// @param larger the layout after that
    /// @param tokens number of tokens in the index
    /// @param units number of units in the index
    /// @throws io.shadowkv.op.BackendMemoryException if the memory is not available
    void grow(ShadowLayout larger, int tokens, int units) {
        for (ShadowLayer layer : layers) {
            layer.values().grow(larger, device, host);
        }
        for (int i = 0; i < layers.size(); i++) {
            if (layers.get(i).indexTokens() == larger.indexedTokens()) {
                continue;
            }
            MemoryScope fresh = growingScope(larger);
            try {
                layers.get(i).growIndex(larger, new LayerMemory(fresh, 1), tokens, units);
                backend.synchronize();
            } catch (RuntimeException e) {
                fresh.close();
                throw e;
            }
            growing.set(i, fresh).close();
        }
        layout = larger;
    }

    /// Everything that lies in device memory and is the sequence's own, in a fixed order.
    private List<Tensor> deviceTensors() {
        List<Tensor> tensors = new ArrayList<>();
        resident.forEach(buffer -> tensors.addAll(buffer.tensors()));
        layers.forEach(layer -> tensors.addAll(base == null ? layer.deviceTensors() : layer.selector().tensors()));
        return tensors;
    }

    @Override
    public long parkedBytes() {
        return ParkedTensors.bytes(deviceTensors());
    }

    @Override
    public void park() {
        parked = ParkedTensors.of(backend, "a parked sequence of " + layout.capacity() + " tokens", deviceTensors());
        closeDevice();
    }

    @Override
    public boolean isParked() {
        return parked != null;
    }

    @Override
    public void resume() {
        ParkedTensors saved = Objects.requireNonNull(parked, "the sequence is not parked");
        List<ShadowLayer> held = List.copyOf(layers);
        List<ResidentBuffer> heldRows = List.copyOf(resident);
        layers.clear();
        resident.clear();
        device = deviceScope();
        try {
            allocate(held);
            saved.restore(deviceTensors());
        } catch (RuntimeException e) {
            layers.clear();
            layers.addAll(held);
            resident.clear();
            resident.addAll(heldRows);
            closeDevice();
            throw e;
        }
        parked = null;
        saved.close();
    }

    /// Bytes currently allocated.
    long bytes(Backend.Place place) {
        long own = device.bytes(place) + host.bytes(place);
        for (MemoryScope scope : growing) {
            own += scope.bytes(place);
        }
        ParkedTensors saved = parked;
        return own + (saved == null || place == Backend.Place.DEVICE ? 0 : saved.bytes());
    }

    private void closeDevice() {
        List<MemoryScope> scopes = new ArrayList<>(growing);
        scopes.add(device);
        growing.clear();
        CloseAll.of(scopes, MemoryScope::close);
    }

    @Override
    public void close() {
        List<Runnable> closing = new ArrayList<>(List.of(this::closeDevice, host::close));
        ParkedTensors saved = parked;
        if (saved != null) {
            closing.add(saved::close);
        }
        CloseAll.of(closing, Runnable::run);
    }
}
