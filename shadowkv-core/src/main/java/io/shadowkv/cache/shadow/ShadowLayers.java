package io.shadowkv.cache.shadow;

import io.shadowkv.cache.ParkedTensors;
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
final class ShadowLayers implements AutoCloseable {
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

    /// Empty if the sequence is always kept whole.
    List<ShadowLayer> all() {
        return layers;
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

    /// Bytes of host memory that [#park] takes.
    long parkedBytes() {
        return ParkedTensors.bytes(deviceTensors());
    }

    /// Moves everything in device memory to host memory. Waits for the backend.
    ///
    /// @throws io.shadowkv.op.BackendMemoryException if the host has too little memory; nothing has
    ///     changed then
    void park() {
        parked = ParkedTensors.of(backend, "a parked sequence of " + layout.capacity() + " tokens", deviceTensors());
        closeDevice();
    }

    boolean isParked() {
        return parked != null;
    }

    /// Moves a parked sequence back. Waits for the backend.
    ///
    /// @throws io.shadowkv.op.BackendMemoryException if the memory is not available; the sequence
    ///     is parked then
    void resume() {
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
