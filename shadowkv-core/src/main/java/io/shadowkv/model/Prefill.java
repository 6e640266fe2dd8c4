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
/// the start of the next. The number of rows of a unit does not change the results.
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
        this.prefillRows = Math.min(prefillRows, total);
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
    /// @param maxRows maximum number of rows, 1 or more; a unit has at most the prefill rows
    /// @throws IllegalStateException if all layers are done
    public void advance(int maxRows) {
        if (isDone()) {
            throw new IllegalStateException("all " + layer + " layers are done");
        }
        int count = Math.min(Math.min(maxRows, prefillRows), rows - row);
        List<Span> spans = spans(row, count);
        Workspace part = work.first(count);
        backend.upload(positions(spans, count), part.positions());
        Tensor stream = hidden.slice(row, count);
        forward.project(layer, stream, part);
        attend(spans, part);
        forward.complete(layer, stream, part);
        backend.synchronize();
        for (Span span : spans) {
            workDone += span.work(spec, layer);
        }
        row += count;
        if (row == rows) {
            finishLayer();
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
        row = 0;
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

    /// Exact attention of the current rows, prompt by prompt.
    private void attend(List<Span> spans, Workspace part) {
        for (Span span : spans) {
            if (dropped.contains(span.prompt())) {
                continue;
            }
            Tensor queries = part.queries().slice(span.row(), span.count());
            Tensor keys = part.keys().slice(span.row(), span.count());
            Tensor positions = part.positions().slice(span.row(), span.count());
            forward.rotate(layer, queries, keys, positions, span.prompt().rotary());
            var cache = span.prompt().cache();
            cache.append(layer, keys, part.values().slice(span.row(), span.count()));
            Tensor out = part.attended().slice(span.row(), span.count());
            cache.attend(layer, queries, spec.scales().attention(), out);
        }
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
