package io.shadowkv.op;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// One entry for each slot of a decode batch. A sequence that joins or leaves changes only its own
/// entry. A backend that mirrors the table in device memory detects changes by comparing
/// [#version].
///
/// @param <T> record of tensors
public final class SlotTable<T> {
    private final List<@Nullable T> entries = new ArrayList<>();
    private long version;

    public T get(int slot) {
        T entry = slot < entries.size() ? entries.get(slot) : null;
        if (entry == null) {
            throw new IllegalStateException("slot " + slot + " holds no sequence");
        }
        return entry;
    }

    /// The entry of a slot, or null if the slot is empty.
    public @Nullable T getOrNull(int slot) {
        return slot < entries.size() ? entries.get(slot) : null;
    }

    /// The highest slot ever set, plus one.
    public int size() {
        return entries.size();
    }

    /// Puts `entry` into `slot`; null empties it.
    public void set(int slot, @Nullable T entry) {
        while (entries.size() <= slot) {
            entries.add(null);
        }
        entries.set(slot, entry);
        version++;
    }

    /// Version number; increases with every change.
    public long version() {
        return version;
    }
}
