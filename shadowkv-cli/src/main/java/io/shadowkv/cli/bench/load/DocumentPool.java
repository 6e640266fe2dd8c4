package io.shadowkv.cli.bench.load;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// The documents that a client keeps on the server, at most a number of them. A request about another
/// one frees the least recently used one that nothing is asked about, as an application with a cache
/// of documents does. Thread-safe.
public final class DocumentPool {
    private final LoadTarget target;
    private final int limit;
    private final Map<LoadDocument, Entry> entries = new LinkedHashMap<>();
    /// Documents that are being freed on the server.
    private final Set<LoadDocument> leaving = new HashSet<>();
    private final List<Reading> readings = new ArrayList<>();
    private long time;

    /// A document that was read.
    public record Reading(int tokens, double seconds) {}

    private static final class Entry {
        private int users;
        private long lastUse;
        private boolean isReady;
        private @Nullable LoadFailure failure;
    }

    /// @param limit maximum number of documents that are kept
    public DocumentPool(LoadTarget target, int limit) {
        if (limit < 1) {
            throw new IllegalArgumentException("the client keeps " + limit + " documents; expected 1 or more");
        }
        this.target = target;
        this.limit = limit;
    }

    /// Waits until a document was read. The caller must call [#leave] when its request has ended.
    ///
    /// @throws LoadFailure if it was not read
    /// @throws InterruptedException if the run ends
    public void enter(LoadDocument document) throws InterruptedException {
        Entry entry;
        LoadDocument victim = null;
        synchronized (entries) {
            entry = entries.get(document);
            while (entry == null && mustWait(document)) {
                entries.wait();
                entry = entries.get(document);
            }
            if (entry != null) {
                entry.users++;
                await(document, entry);
                return;
            }
            if (entries.size() >= limit) {
                victim = Objects.requireNonNull(idle());
                entries.remove(victim);
                leaving.add(victim);
            }
            entry = new Entry();
            entry.users = 1;
            entries.put(document, entry);
        }
        read(document, entry, victim);
    }

    /// True while the document leaves the server, or all places are taken by documents in use.
    private boolean mustWait(LoadDocument document) {
        return leaving.contains(document) || (entries.size() >= limit && idle() == null);
    }

    private void await(LoadDocument document, Entry entry) throws InterruptedException {
        try {
            while (!entry.isReady && entry.failure == null) {
                entries.wait();
            }
        } catch (InterruptedException e) {
            entry.users--;
            throw e;
        }
        if (entry.failure != null) {
            throw new LoadFailure(entry.failure.kind(), document + ": " + entry.failure.getMessage());
        }
    }

    private void read(LoadDocument document, Entry entry, @Nullable LoadDocument victim) throws InterruptedException {
        LoadFailure failure = new LoadFailure("document not read", "the run ended while the document was read");
        long start = 0;
        boolean isRead = false;
        try {
            if (victim != null) {
                forget(victim);
            }
            start = System.nanoTime();
            target.read(document);
            isRead = true;
        } catch (LoadFailure e) {
            failure = e;
            throw e;
        } finally {
            synchronized (entries) {
                if (isRead) {
                    entry.isReady = true;
                    readings.add(new Reading(document.tokens(), (System.nanoTime() - start) / 1e9));
                } else {
                    entry.failure = failure;
                    entries.remove(document, entry);
                }
                entries.notifyAll();
            }
        }
    }

    private void forget(LoadDocument victim) throws InterruptedException {
        try {
            target.forget(victim);
        } finally {
            synchronized (entries) {
                leaving.remove(victim);
                entries.notifyAll();
            }
        }
    }

    /// The least recently used document that is ready and not in use; null if there is none.
    private @Nullable LoadDocument idle() {
        return entries.entrySet().stream()
                .filter(entry -> entry.getValue().isReady && entry.getValue().users == 0)
                .min(Comparator.comparingLong(entry -> entry.getValue().lastUse))
                .map(Map.Entry::getKey)
                .orElse(null);
    }

    /// A request about the document has ended.
    public void leave(LoadDocument document) {
        synchronized (entries) {
            Entry entry = entries.get(document);
            if (entry != null) {
                entry.users--;
                entry.lastUse = time++;
                entries.notifyAll();
            }
        }
    }

    /// Documents that were read so far, in the order of their ends.
    public List<Reading> readings() {
        synchronized (entries) {
            return List.copyOf(readings);
        }
    }

    /// Frees all documents that nothing is asked about.
    ///
    /// @throws InterruptedException if the run ends
    public void clear() throws InterruptedException {
        List<LoadDocument> idle = new ArrayList<>();
        synchronized (entries) {
            entries.entrySet().removeIf(entry -> {
                boolean isIdle = entry.getValue().isReady && entry.getValue().users == 0;
                if (isIdle) {
                    idle.add(entry.getKey());
                }
                return isIdle;
            });
        }
        for (LoadDocument document : idle) {
            target.forget(document);
        }
    }
}
