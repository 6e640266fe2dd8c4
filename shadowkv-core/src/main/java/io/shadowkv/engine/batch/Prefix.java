package io.shadowkv.engine.batch;

import io.shadowkv.cache.SequenceCache;
import org.jspecify.annotations.Nullable;

/// A read prompt that other sequences continue, each with a fork of its cache. Used by the engine's
/// thread, except for [#isHeld].
public final class Prefix {
    private final int[] ids;
    private final SequenceCache cache;
    private final float @Nullable [] logits;
    private final @Nullable Prefix parent;
    private final boolean isPinned;
    private int users;
    private long lastUse;
    private boolean isReleased;
    private volatile boolean isHeld = true;

    /// @param ids all tokens in the cache
    /// @param logits logits after the last token, or null if they are not known
    /// @param parent the prefix whose memory `cache` shares; null if it shares none
    /// @param isPinned true to hold it until it is released, even if memory is short
    Prefix(int[] ids, SequenceCache cache, float @Nullable [] logits, @Nullable Prefix parent, boolean isPinned) {
        this.ids = ids;
        this.cache = cache;
        this.logits = logits;
        this.parent = parent;
        this.isPinned = isPinned;
    }

    int[] ids() {
        return ids;
    }

    public SequenceCache cache() {
        return cache;
    }

    public float @Nullable [] logits() {
        return logits;
    }

    @Nullable
    Prefix parent() {
        return parent;
    }

    /// The prefix whose memory a fork of this one shares; null if a fork shares none.
    @Nullable
    Prefix shared() {
        if (!cache.isShared()) {
            return null;
        }
        return parent == null ? this : parent;
    }

    boolean isPinned() {
        return isPinned;
    }

    /// True until its memory is freed. Thread-safe.
    public boolean isHeld() {
        return isHeld;
    }

    boolean isUsed() {
        return users > 0;
    }

    /// True if it may be freed when memory is short and so many of its users have ended.
    boolean isEvictable(int endedUsers) {
        return (isReleased || !isPinned) && users == endedUsers;
    }

    long lastUse() {
        return lastUse;
    }

    void use(long time) {
        users++;
        lastUse = time;
    }

    void leave() {
        users--;
    }

    void release() {
        isReleased = true;
    }

    boolean isReleased() {
        return isReleased;
    }

    void freed() {
        isHeld = false;
    }
}
