package io.shadowkv.model;

import io.shadowkv.model.spec.DecoderSpec;
import io.shadowkv.op.Backend;
import io.shadowkv.op.MemoryScope;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/// Reads prompts layer by layer, so that only one layer's keys and values are complete at a time.
/// Within a layer, `prefillRows` rows are computed at a time. The rows of several prompts follow
/// one another, so these rows may contain the end of one prompt and the start of the next.
final class Prefill {
    private final DecoderSpec spec;
    private final DType type;
    private final Backend backend;
    private final LayerForward forward;
    private final List<PromptRows> prompts;
    private final int[] firstRows;
    private final int rows;
    private final int prefillRows;
    private double workDone;
    private double workTotal;

    /// @param type of activations
    Prefill(
            DecoderSpec spec,
            DType type,
            Backend backend,
            LayerForward forward,
            List<PromptRows> prompts,
            int prefillRows) {
        this.spec = spec;
        this.type = type;
        this.backend = backend;
        this.forward = forward;
        this.prompts = prompts;
        this.firstRows = new int[prompts.size()];
        int total = 0;
        for (int i = 0; i < prompts.size(); i++) {
            firstRows[i] = total;
            total = Math.addExact(total, prompts.get(i).ids().length);
        }
        this.rows = total;
        this.prefillRows = Math.min(prefillRows, total);
    }

    /// Runs all layers and passes the logits of each prompt's last row to `sink`, in the order of
    /// the prompts.
    ///
    /// @param allPositions true to pass the logits of every row instead
    void run(PrefillMonitor monitor, boolean allPositions, Consumer<float[]> sink) {
        try (MemoryScope scope = backend.newScope("activations of a prompt of " + rows + " tokens")) {
            Tensor hidden = scope.allocate(type, rows, spec.hiddenSize());
            Workspace work = Workspace.allocate(spec, type, scope, prefillRows);
            embed(hidden, scope);
            workTotal = spec.layers() * layerWork();
            for (int layer = 0; layer < spec.layers(); layer++) {
                runLayer(layer, hidden, work, monitor);
            }
            deliver(hidden, work, scope, allPositions, sink);
        }
    }

    private void embed(Tensor hidden, MemoryScope scope) {
        int[] ids = new int[rows];
        for (int i = 0; i < prompts.size(); i++) {
            int[] prompt = prompts.get(i).ids();
            System.arraycopy(prompt, 0, ids, firstRows[i], prompt.length);
        }
        Tensor idTensor = scope.allocate(DType.I32, rows);
        backend.upload(ids, idTensor);
        forward.embed(idTensor, hidden);
    }

    private void runLayer(int layer, Tensor hidden, Workspace work, PrefillMonitor monitor) {
        for (int from = 0; from < rows; from += prefillRows) {
            int count = Math.min(prefillRows, rows - from);
            List<Span> spans = spans(from, count);
            Workspace part = work.first(count);
            backend.upload(positions(spans, count), part.positions());
            Tensor stream = hidden.slice(from, count);
            forward.project(layer, stream, part);
            attend(layer, spans, part);
            forward.complete(layer, stream, part);
            backend.synchronize();
            for (Span span : spans) {
                workDone += span.work(spec);
            }
            monitor.progress(Math.min(1, workDone / workTotal));
        }
        long start = System.nanoTime();
        for (PromptRows prompt : prompts) {
            prompt.cache().finishLayer(layer);
        }
        if (!backend.hasSideQueue()) {
            backend.synchronize();
        }
        monitor.waitedForIndexing(System.nanoTime() - start);
    }

    /// Exact attention of the current rows, prompt by prompt.
    private void attend(int layer, List<Span> spans, Workspace work) {
        for (Span span : spans) {
            Tensor queries = work.queries().slice(span.row(), span.count());
            Tensor keys = work.keys().slice(span.row(), span.count());
            Tensor positions = work.positions().slice(span.row(), span.count());
            backend.operations()
                    .dense()
                    .rotate(queries, keys, positions, span.prompt().rotary());
            var cache = span.prompt().cache();
            cache.append(layer, keys, work.values().slice(span.row(), span.count()));
            Tensor out = work.attended().slice(span.row(), span.count());
            cache.attend(layer, queries, 1 / Math.sqrt(spec.headDim()), out);
        }
    }

    private void deliver(
            Tensor hidden, Workspace work, MemoryScope scope, boolean allPositions, Consumer<float[]> sink) {
        Tensor logits = scope.allocate(DType.F32, 1, spec.vocabularySize());
        Tensor normed = work.normed().slice(0, 1);
        for (int i = 0; i < prompts.size(); i++) {
            int end = firstRows[i] + prompts.get(i).ids().length;
            for (int row = allPositions ? firstRows[i] : end - 1; row < end; row++) {
                forward.head(hidden.slice(row, 1), normed, logits);
                sink.accept(backend.download(logits));
            }
        }
    }

    private List<Span> spans(int from, int count) {
        List<Span> spans = new ArrayList<>();
        for (int i = 0; i < prompts.size(); i++) {
            int start = Math.max(from, firstRows[i]);
            int end = Math.min(from + count, firstRows[i] + prompts.get(i).ids().length);
            if (start < end) {
                spans.add(new Span(prompts.get(i), start - from, start - firstRows[i], end - start));
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

    private double layerWork() {
        double work = 0;
        for (PromptRows prompt : prompts) {
            work += new Span(prompt, 0, 0, prompt.ids().length).work(spec);
        }
        return work;
    }

    /// Consecutive tokens of one prompt within the rows computed at a time.
    ///
    /// @param row first row, counted from the start of these rows
    /// @param position position of the first token
    private record Span(PromptRows prompt, int row, int position, int count) {
        /// Multiply-adds of one layer: the projections, and attention to all earlier tokens.
        double work(DecoderSpec spec) {
            double perToken = 2.0 * spec.hiddenSize() * (spec.queryWidth() + spec.kvWidth())
                    + 3.0 * spec.hiddenSize() * spec.intermediateSize();
            return count * (perToken + 2.0 * spec.queryWidth() * (position + count / 2.0));
        }
    }
}
