package io.shadowkv.model;

import io.shadowkv.model.spec.DecoderSpec;
import io.shadowkv.op.Backend;
import io.shadowkv.op.MemoryScope;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/// The prefill of one or more prompts as a cursor: each [#advance] computes one unit, some rows of
/// one layer. Between units the backend can do other work, such as decode steps of other sequences.
///
/// Prompts are read layer by layer, so that only one layer's keys and values are complete at a time.
/// The rows of several prompts follow one another, so a unit may contain the end of one prompt and
/// the start of the next. The number of rows of a unit does not change the results: where rows attend
/// to some keys only, units end where their selection allows
/// ([io.shadowkv.cache.prefill.RowOrder#block]). If the last queries decide what all rows read, a layer
/// has two passes: the keys and values of all rows, then the rest.
///
/// Used by one thread at a time. Owns its activations until closed.
public final class Prefill implements AutoCloseable {
    private final DecoderSpec spec;
    private final Backend backend;
    private final LayerForward forward;
    private final List<PromptRows> prompts;
    private final List<PromptRows> dropped = new ArrayList<>();
    private final int[] firstRows;
    private final int rows;
    private final int prefillRows;
    private final MemoryScope scope;
    private final Tensor hidden;
    private final Workspace work;
    private final Tensor logits;
    private final double workTotal;
    private double workDone;
    private int layer;
    private int row;
    /// The current layer has two passes.
    private boolean keysFirst;
    /// The current layer's keys are in the caches, or come with the rows.
    private boolean hasKeys;
    private long indexingWaitNanos;

    /// @param type of activations
    /// @param prefillRows maximum number of rows of a unit; limits the memory for activations
    /// @throws io.shadowkv.op.BackendMemoryException if the memory for activations is not available
    Prefill(
            DecoderSpec spec,
            DType type,
            Backend backend,
            LayerForward forward,
            List<PromptRows> prompts,
            int prefillRows) {
        this.spec = spec;
        this.backend = backend;
        this.forward = forward;
        this.prompts = List.copyOf(prompts);
        this.firstRows = new int[prompts.size()];
        int total = 0;
        for (int i = 0; i < prompts.size(); i++) {
            firstRows[i] = total;
            total = Math.addExact(total, prompts.get(i).ids().length);
        }
        this.rows = total;
        this.prefillRows = Math.min(Math.max(prefillRows, leastRows(prompts)), total);
        this.workTotal = work();
        this.scope = backend.newScope("activations of a prompt of " + rows + " tokens");
        try {
            this.hidden = scope.allocate(type, rows, spec.hiddenSize());
            this.work = Workspace.allocate(spec, type, scope, this.prefillRows);
            this.logits = scope.allocate(DType.F32, 1, spec.vocabularySize());
            embed();
        } catch (RuntimeException | Error e) {
            scope.close();
            throw e;
        }
    }

    /// True once every layer has read every row.
    public boolean isDone() {
        return layer == spec.layers();
    }

    /// Completed share of the work, from 0 to 1. The cost of attention grows with the position, so
    /// this is not the share of tokens.
    public double done() {
        return isDone() ? 1 : Math.min(1, workDone / workTotal);
    }

    /// Time that was spent waiting for the indexing of finished layers.
    public long indexingWaitNanos() {
        return indexingWaitNanos;
    }

    /// Computes one unit and waits for it. The last unit of a layer also ends the layer in the
    /// prompts' caches.
    ///
    /// @param maxRows maximum number of rows, 1 or more; a unit has at most the prefill rows, and more
    ///     than `maxRows` only where a prompt's rows attend in larger groups
    /// @throws IllegalStateException if all layers are done
    public void advance(int maxRows) {
        if (isDone()) {
            throw new IllegalStateException("all " + layer + " layers are done");
        }
        if (row == 0 && !hasKeys) {
            hasKeys = !needsKeysFirst();
            keysFirst = !hasKeys;
        }
        int count = hasKeys ? unitRows(maxRows) : Math.min(Math.min(maxRows, prefillRows), rows - row);
        List<Span> spans = spans(row, count);
        Workspace part = work.first(count);
        backend.upload(positions(spans, count), part.positions());
        Tensor stream = hidden.slice(row, count);
        if (hasKeys) {
            compute(spans, stream, part);
        } else {
            forward.projectKeys(layer, stream, part);
            spans.forEach(span -> appendKeys(span, part));
            backend.synchronize();
        }
        row += count;
        if (row == rows) {
            row = 0;
            if (hasKeys) {
                finishLayer();
            } else {
                observe();
                hasKeys = true;
            }
        }
    }

    private void compute(List<Span> spans, Tensor stream, Workspace part) {
        if (keysFirst) {
            forward.projectQueries(layer, stream, part);
        } else {
            forward.project(layer, stream, part);
        }
        spans.forEach(span -> attend(span, part));
        forward.complete(layer, stream, part);
        backend.synchronize();
        for (Span span : spans) {
            workDone += span.work(spec, layer);
        }
    }

    private static int leastRows(List<PromptRows> prompts) {
        return prompts.stream()
                .map(prompt -> prompt.cache().order())
                .mapToInt(order -> Math.max(order.block(), order.observed()))
                .max()
                .orElse(1);
    }

    private boolean needsKeysFirst() {
        return prompts.stream()
                .anyMatch(prompt ->
                        !dropped.contains(prompt) && prompt.cache().order().observed() > 0);
    }

    /// Number of rows of the next unit: it ends where every prompt's rows may be separated.
    private int unitRows(int maxRows) {
        int end = row + Math.min(Math.min(maxRows, prefillRows), rows - row);
        for (int i = 0; i < prompts.size(); i++) {
            int first = firstRows[i];
            int last = first + prompts.get(i).ids().length;
            int block = dropped.contains(prompts.get(i))
                    ? 1
                    : prompts.get(i).cache().order().block();
            if (first < end && end < last && block > 1) {
                int shift = prompts.get(i).firstPosition() - first;
                int lower = (end + shift) / block * block - shift;
                end = lower > Math.max(row, first) ? lower : Math.max(first, row);
                if (end == row) {
                    end = Math.min(last, lower + block);
                }
            }
        }
        return end - row;
    }

    /// Shows the prompts' last queries to their caches.
    private void observe() {
        for (int i = 0; i < prompts.size(); i++) {
            PromptRows prompt = prompts.get(i);
            int observed = dropped.contains(prompt) ? 0 : prompt.cache().order().observed();
            int count = Math.min(observed, prompt.ids().length);
            if (count > 0) {
                int first = firstRows[i] + prompt.ids().length - count;
                Workspace part = work.first(count);
                backend.upload(positions(spans(first, count), count), part.positions());
                forward.projectQueries(layer, hidden.slice(first, count), part);
                forward.rotateQueries(layer, part.queries(), part.positions(), prompt.rotary());
                prompt.cache().observe(layer, part.queries(), spec.scales().attention());
            }
        }
    }

    private void finishLayer() {
        long start = System.nanoTime();
        for (PromptRows prompt : prompts) {
            if (!dropped.contains(prompt)) {
                prompt.cache().finishLayer(layer);
            }
        }
        if (!backend.hasSideQueue()) {
            backend.synchronize();
        }
        indexingWaitNanos += System.nanoTime() - start;
        layer++;
        hasKeys = false;
    }

    /// Leaves a prompt out from now on: its cache is not used again, and the caller may close it.
    /// The activations of its rows stay allocated, and their projections are computed, until the
    /// other prompts are read.
    public void drop(PromptRows prompt) {
        backend.synchronize();
        dropped.add(prompt);
    }

    /// Passes the logits of one prompt's last row to `sink`, or of all its rows in order.
    ///
    /// @param sink receives rows `[vocabulary]`
    /// @throws IllegalStateException before all layers are done
    public void logits(PromptRows prompt, boolean allPositions, Consumer<float[]> sink) {
        if (!isDone()) {
            throw new IllegalStateException(layer + " of " + spec.layers() + " layers are done");
        }
        int first = firstRows[prompts.indexOf(prompt)];
        int end = first + prompt.ids().length;
        Tensor normed = work.normed().slice(0, 1);
        for (int at = allPositions ? first : end - 1; at < end; at++) {
            forward.head(hidden.slice(at, 1), normed, logits);
            sink.accept(backend.download(logits));
        }
    }

    /// Frees the activations. The prompts' caches stay open.
    @Override
    public void close() {
        backend.synchronize();
        scope.close();
    }

    private void embed() {
        int[] ids = new int[rows];
        for (int i = 0; i < prompts.size(); i++) {
            int[] prompt = prompts.get(i).ids();
            System.arraycopy(prompt, 0, ids, firstRows[i], prompt.length);
        }
        Tensor idTensor = scope.allocate(DType.I32, rows);
        backend.upload(ids, idTensor);
        forward.embed(idTensor, hidden);
    }

    /// Appends the keys and values of a prompt's rows, which do not attend yet.
    private void appendKeys(Span span, Workspace part) {
        if (!dropped.contains(span.prompt())) {
            Tensor keys = part.keys().slice(span.row(), span.count());
            Tensor positions = part.positions().slice(span.row(), span.count());
            forward.rotateKeys(layer, keys, positions, span.prompt().rotary());
            span.prompt().cache().append(layer, keys, part.values().slice(span.row(), span.count()));
        }
    }

    /// Attention of a prompt's rows.
    private void attend(Span span, Workspace part) {
        if (dropped.contains(span.prompt())) {
            return;
        }
        Tensor queries = part.queries().slice(span.row(), span.count());
        Tensor positions = part.positions().slice(span.row(), span.count());
        var cache = span.prompt().cache();
        if (keysFirst) {
            forward.rotateQueries(layer, queries, positions, span.prompt().rotary());
        } else {
            Tensor keys = part.keys().slice(span.row(), span.count());
            forward.rotate(layer, queries, keys, positions, span.prompt().rotary());
            cache.append(layer, keys, part.values().slice(span.row(), span.count()));
        }
        int first = span.position() - span.prompt().firstPosition();
        Tensor out = part.attended().slice(span.row(), span.count());
        cache.attend(layer, first, queries, spec.scales().attention(), out);
    }

    private List<Span> spans(int from, int count) {
        List<Span> spans = new ArrayList<>();
        for (int i = 0; i < prompts.size(); i++) {
            int start = Math.max(from, firstRows[i]);
            int end = Math.min(from + count, firstRows[i] + prompts.get(i).ids().length);
            if (start < end) {
                int position = prompts.get(i).firstPosition() + start - firstRows[i];
                spans.add(new Span(prompts.get(i), start - from, position, end - start));
            }
        }
        return spans;
    }

    private static int[] positions(List<Span> spans, int count) {
        int[] positions = new int[count];
        for (Span span : spans) {
            for (int i = 0; i < span.count(); i++) {
                positions[span.row() + i] = span.position() + i;
            }
        }
        return positions;
    }

    private double work() {
        double work = 0;
        for (PromptRows prompt : prompts) {
            Span whole = new Span(prompt, 0, prompt.firstPosition(), prompt.ids().length);
            for (int i = 0; i < spec.layers(); i++) {
                work += whole.work(spec, i);
            }
        }
        return work;
    }

    /// Consecutive tokens of one prompt within the rows computed at a time.
    ///
    /// @param row first row, counted from the start of these rows
    /// @param position position of the first token
    private record Span(PromptRows prompt, int row, int position, int count) {
        /// Multiply-adds of one layer: the projections, and attention to all earlier tokens.
        double work(DecoderSpec spec, int layer) {
            double perToken = 2.0 * spec.hiddenSize() * (spec.queryWidth() + spec.kvWidth())
                    + spec.layer(layer).feedForward().elementsRead(spec.hiddenSize());
            return count * (perToken + 2.0 * spec.queryWidth() * (position + count / 2.0));
        }
    }
}
