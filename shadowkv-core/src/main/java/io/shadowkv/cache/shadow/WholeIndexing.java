package io.shadowkv.cache.shadow;

import io.shadowkv.cache.LayerRotaries;
import io.shadowkv.op.Backend;
import io.shadowkv.op.MemoryScope;
import io.shadowkv.tensor.Tensor;

/// The indexing of a sequence that outgrows the resident region. It runs on the side queue, so that
/// other sequences decode meanwhile; this one must not be used until [#finish].
final class WholeIndexing {
    private final Backend backend;
    private final MemoryScope scope;
    private final Backend.Ticket ticket;

    /// @param tokens number of tokens of the sequence
    WholeIndexing(ShadowLayers layers, Backend backend, LayerRotaries rotary, int tokens) {
        this.backend = backend;
        this.scope = backend.newScope("indexing a sequence");
        try {
            var shape = layers.layout().shape();
            IndexScratch scratch = IndexScratch.allocate(layers.layout(), backend, scope, tokens);
            Tensor keys = scope.allocate(shape.kvType(), shape.kvHeads(), tokens, shape.headDim());
            Tensor values = scope.allocate(shape.kvType(), shape.kvHeads(), tokens, shape.headDim());
            this.ticket = backend.aside(() -> {
                for (int i = 0; i < layers.size(); i++) {
                    ShadowLayer layer = layers.get(i);
                    layer.resident().copyTo(keys, values, tokens);
                    layer.index(keys, values, tokens, rotary.of(i), scratch);
                }
                // The download waits for everything before it, so that the ticket is not done earlier.
                backend.downloadLongs(layers.get(layers.size() - 1).selector().counters());
            });
        } catch (RuntimeException e) {
            scope.close();
            throw e;
        }
    }

    /// True if [#finish] need not wait.
    boolean isDone() {
        return ticket.isDone();
    }

    /// Waits for the end.
    ///
    /// @throws RuntimeException the failure of the work
    void finish() {
        try {
            ticket.join();
            backend.synchronize();
        } finally {
            scope.close();
        }
    }

    /// Waits for the end, whatever it is: the sequence is closed.
    void abandon() {
        try {
            finish();
        } catch (RuntimeException e) {
            // The sequence has no further use for it.
        }
    }
}
