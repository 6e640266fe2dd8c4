package io.shadowkv.cache.shadow;

import io.shadowkv.cache.CacheStrategy.Turn;
import io.shadowkv.cache.LayerProgress;
import io.shadowkv.cache.PromptCache;
import io.shadowkv.cache.SequenceCache;
import io.shadowkv.cache.prefill.LayerDensity;
import io.shadowkv.cache.prefill.PromptAttention;
import io.shadowkv.cache.prefill.RowOrder;
import io.shadowkv.op.AttendedRows;
import io.shadowkv.op.AttentionOperations;
import io.shadowkv.op.Backend;
import io.shadowkv.op.MemoryScope;
import io.shadowkv.op.ShadowOperations;
import io.shadowkv.tensor.CloseAll;
import io.shadowkv.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Reads turns of forks that share one index. Of one layer at a time, the keys and values of the
/// indexed tokens are restored once. The tokens of a fork that are not in the index, its tail, are in
/// its resident rows; the new tokens are stored there as well. Before a turn attends, its tail is
/// copied behind the indexed tokens:
///
/// ```
/// rows of the restored layer    indexed tokens (of all forks) | tail of the turn that attends
/// ```
///
/// A turn never writes to the index, and no step reads the rows behind a fork's last token, so a fork
/// is as it was until its turn is sealed. What is restored belongs to the sequence that the forks
/// share. A turn that is closed therefore does not disturb the others. The memory of the restored
/// layer is freed with the last turn.
final class SharedTurns {
    private final AttentionOperations operations;
    private final ShadowOperations shadow;
    private final Backend backend;
    private final ShadowSequence shared;
    private final int layerCount;
    private final int indexedTokens;
    private final MemoryScope scope;
    private final PromptLayers layers;
    private final List<ForkTurn> open = new ArrayList<>();
    private int finishedLayers;
    private @Nullable ForkTurn tail;
    private int tailLayer;
    private int tailRows;
    private @Nullable RuntimeException failure;

    private SharedTurns(ShadowSequence shared, List<Turn> turns, Backend backend) {
        this.operations = backend.operations().attention();
        this.shadow = backend.operations().shadow();
        this.backend = backend;
        this.shared = shared;
        this.layerCount = shared.layout().shape().layers();
        this.indexedTokens = ((ShadowSequence) turns.getFirst().sequence()).recentToken();
        try {
            int longest = openTurns(turns);
            this.scope = backend.newScope(
                    "one layer's keys and values of " + longest + " tokens for " + turns.size() + " turns");
            try {
                this.layers = new PromptLayers(shared.layout(), backend, scope, longest);
            } catch (RuntimeException e) {
                scope.close();
                throw e;
            }
        } catch (RuntimeException e) {
            CloseAll.after(e, open, turn -> turn.attention.close());
            throw e;
        }
        try {
            for (int layer = 0; layer < Math.min(layers.size(), layerCount); layer++) {
                restoreAside(layer);
            }
        } catch (RuntimeException e) {
            CloseAll.after(e, open, turn -> turn.attention.close());
            CloseAll.after(e, List.of(this), SharedTurns::free);
            throw e;
        }
    }

    /// @return tokens of the longest sequence, those of its turn included
    private int openTurns(List<Turn> turns) {
        int longest = 0;
        for (Turn turn : turns) {
            ShadowSequence fork = (ShadowSequence) turn.sequence();
            checkIndexed(fork);
            if (!fork.canExtend(turn.tokens())) {
                throw new IllegalStateException(
                        "a fork of " + fork.length() + " tokens cannot take " + turn.tokens() + " more");
            }
            open.add(new ForkTurn(fork, turn.tokens()));
            longest = Math.max(longest, fork.length() + turn.tokens());
        }
        return longest;
    }

    /// What forks must have in common to be read together: an index, and how much of it they read. The
    /// owner may have added to its index after a fork was made.
    record Shared(ShadowSequence owner, int indexedTokens) {
        Shared(ShadowSequence fork) {
            this(fork.indexOwner(), fork.recentToken());
        }
    }

    private void checkIndexed(ShadowSequence fork) {
        if (fork.recentToken() != indexedTokens || indexedTokens > shared.recentToken()) {
            throw new IllegalStateException("a fork reads " + fork.recentToken()
                    + " tokens from the index, another one " + indexedTokens + ", and the index has "
                    + shared.recentToken() + "; expected forks that read the same tokens");
        }
    }

    /// Opens the reading of turns of forks that read the same tokens of one index ([Shared]).
    ///
    /// @return the cache of each turn
    static List<PromptCache> open(List<Turn> turns, Backend backend) {
        ShadowSequence first = (ShadowSequence) turns.getFirst().sequence();
        return List.copyOf(new SharedTurns(first.indexOwner(), turns, backend).open);
    }

    private void restoreAside(int layer) {
        PromptLayers.Set set = layers.set(layer);
        set.usedBy(backend.aside(() -> shared.indexedLayer(layer)
                .restoreIndexed(indexedTokens, shared.rotary().of(layer), set.keys(), set.values())));
    }

    /// The buffers of a layer, with its indexed tokens restored.
    ///
    /// @throws RuntimeException if a layer was not restored, in this turn or in another one
    private PromptLayers.Set restored(int layer) {
        throwFailure();
        PromptLayers.Set set = layers.set(layer);
        try {
            set.join();
        } catch (RuntimeException e) {
            failure = e;
            throw e;
        }
        return set;
    }

    private void throwFailure() {
        RuntimeException earlier = failure;
        if (earlier != null) {
            throw earlier;
        }
    }

    /// Copies what the buffers of `layer` do not hold yet of a turn's tail.
    ///
    /// @param rows rows of the tail, the new tokens included
    private void copyTail(ForkTurn turn, int layer, PromptLayers.Set set, int rows) {
        int from = tail == turn && tailLayer == layer ? tailRows : 0;
        AttendedRows resident = turn.fork.attended(layer);
        int row = turn.fork.layout().layer(layer).recentRow() + from;
        shadow.copyRows(resident.keys(), row, rows - from, set.keys(), indexedTokens + from);
        shadow.copyRows(resident.values(), row, rows - from, set.values(), indexedTokens + from);
        tail = turn;
        tailLayer = layer;
        tailRows = rows;
    }

    /// Restores the next layer into the buffers of each layer that all open turns have finished.
    private void reuseBuffers() {
        while (failure == null && finishedLayers < layerCount && allFinished(finishedLayers)) {
            int next = finishedLayers + layers.size();
            if (next < layerCount) {
                try {
                    restoreAside(next);
                } catch (RuntimeException e) {
                    failure = e;
                }
            }
            finishedLayers++;
        }
    }

    private boolean allFinished(int layer) {
        return open.stream().allMatch(turn -> turn.progress.finished() > layer);
    }

    private void leave(ForkTurn turn) {
        open.remove(turn);
        if (open.isEmpty()) {
            free();
        } else {
            reuseBuffers();
        }
    }

    private void free() {
        layers.abandon();
        try {
            backend.synchronize();
        } finally {
            scope.close();
        }
    }

    /// The turn of one fork.
    private final class ForkTurn implements PromptCache {
        private final ShadowSequence fork;
        private final int before;
        private final int tokens;
        private final LayerProgress progress;
        private final PromptAttention attention;
        private boolean isClosed;

        ForkTurn(ShadowSequence fork, int tokens) {
            this.fork = fork;
            this.before = fork.recentTokens();
            this.tokens = tokens;
            this.progress = new LayerProgress(layerCount, tokens);
            this.attention = fork.layout().attention().open(fork.length(), tokens);
        }

        private int rows() {
            return before + progress.count();
        }

        @Override
        public void append(int layer, Tensor newKeys, Tensor newValues) {
            AttendedRows resident = fork.attended(layer);
            int at = fork.layout().layer(layer).recentRow() + rows();
            operations.store(newKeys, resident.keys(), at);
            operations.store(newValues, resident.values(), at);
            progress.add(newKeys.extent(0));
        }

        @Override
        public RowOrder order() {
            return attention.order();
        }

        /// The layer's rows with this turn's tail behind them.
        private AttendedRows rows(int layer) {
            PromptLayers.Set set = restored(layer);
            copyTail(this, layer, set, rows());
            return set.rows();
        }

        @Override
        public void observe(int layer, Tensor queries, double scale) {
            attention.observe(layer, rows(layer), indexedTokens + rows(), queries, scale);
        }

        @Override
        public void attend(int layer, int first, Tensor queries, double scale, Tensor out) {
            int firstToken = indexedTokens + before + first;
            attention.attend(layer, rows(layer), indexedTokens + rows(), firstToken, queries, scale, out);
        }

        @Override
        public List<LayerDensity> densities() {
            return attention.densities();
        }

        @Override
        public void finishLayer(int layer) {
            progress.finish(layer);
            reuseBuffers();
            throwFailure();
        }

        @Override
        public SequenceCache seal() {
            progress.checkFinished();
            throwFailure();
            backend.synchronize();
            fork.extended(fork.length() + tokens, 0);
            isClosed = true;
            attention.close();
            leave(this);
            return fork;
        }

        @Override
        public void close() {
            if (!isClosed) {
                isClosed = true;
                try {
                    backend.synchronize();
                } finally {
                    attention.close();
                    leave(this);
                }
            }
        }
    }
}
