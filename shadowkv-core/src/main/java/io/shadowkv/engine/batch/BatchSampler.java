package io.shadowkv.engine.batch;

import io.shadowkv.engine.answer.TokenDraw;
import io.shadowkv.model.StepResult;
import io.shadowkv.op.Backend;
import io.shadowkv.op.MemoryScope;
import io.shadowkv.op.SamplingOperations;
import io.shadowkv.sampling.Candidates;
import io.shadowkv.sampling.LogitChanges;
import io.shadowkv.sampling.TokenLogprobs;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Shape;
import io.shadowkv.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/// Draws the tokens of a decode step in device memory: changes and masks the logits, selects the
/// largest, and downloads only these. A step whose sequences all take the largest logit costs
/// nothing more. Used by the engine's thread; owns its buffers.
final class BatchSampler implements AutoCloseable {
    private final Backend backend;
    private @Nullable MemoryScope scope;
    private @Nullable Tensor block;
    private long capacity;
    private long next;

    BatchSampler(Backend backend) {
        this.backend = backend;
    }

    /// Draws a token for each row.
    ///
    /// @param rows result of a step
    /// @param sequences the sequence of each logit row
    void draw(StepResult rows, List<Sequence> sequences) {
        boolean[] isDrawn = new boolean[sequences.size()];
        boolean isAnyDrawn = false;
        for (int i = 0; i < isDrawn.length; i++) {
            Sequence sequence = sequences.get(i);
            int largest = rows.id(i);
            if (largest >= 0 && sequence.takesLargest()) {
                sequence.take(largest);
            } else if (largest < 0 || sequence.needsWholeRow()) {
                sequence.accept(rows.logits(i));
            } else {
                isDrawn[i] = true;
                isAnyDrawn = true;
            }
        }
        if (isAnyDrawn) {
            drawCandidates(rows, sequences, isDrawn);
        }
    }

    private void drawCandidates(StepResult rows, List<Sequence> sequences, boolean[] isDrawn) {
        int count = 0;
        int candidates = 1;
        int entries = 0;
        boolean isMasked = false;
        float[] @Nullable [] raw = new float[isDrawn.length][];
        for (int i = 0; i < isDrawn.length; i++) {
            if (isDrawn[i]) {
                TokenDraw draw = sequences.get(i).draw();
                count = Math.max(count, rows.row(i) + 1);
                candidates = Math.max(candidates, draw.candidates());
                LogitChanges changes = draw.changes();
                entries += changes == null ? 0 : changes.size();
                isMasked |= draw.isConstrained();
                if (draw.wantsLogprobs() && draw.changesRow()) {
                    raw[i] = rows.logits(i);
                }
            }
        }
        // Few sizes, because a backend may compile a kernel for each.
        int kept = Math.min(SamplingOperations.MAX_CANDIDATES, Integer.highestOneBit(2 * candidates - 1));
        Tensor logits = rows.allLogits().slice(0, count);
        Buffers buffers = buffers(count, kept, entries, isMasked ? Math.ceilDiv(logits.extent(1), Integer.SIZE) : 0);
        change(rows, sequences, isDrawn, logits, buffers);
        float[] inverse = new float[count];
        Arrays.fill(inverse, 1);
        for (int i = 0; i < isDrawn.length; i++) {
            if (isDrawn[i]) {
                inverse[rows.row(i)] = sequences.get(i).draw().inverseTemperature();
            }
        }
        upload(inverse, buffers.inverse());
        backend.operations()
                .sampling()
                .topLogits(logits, buffers.inverse(), buffers.values(), buffers.ids(), buffers.logSums());
        float[] values = backend.download(buffers.values());
        int[] ids = backend.downloadInts(buffers.ids());
        float[] logSums = backend.download(buffers.logSums());
        List<Drawing> whole = new ArrayList<>();
        for (int i = 0; i < isDrawn.length; i++) {
            if (isDrawn[i]) {
                int row = rows.row(i);
                int index = i;
                sequences.get(i).guarded(sequence -> {
                    Candidates largest = Candidates.ofRow(row, values, ids, logSums, inverse[row]);
                    Drawing drawing = new Drawing(sequence, largest, raw[index]);
                    if (drawing.isComplete()) {
                        drawing.take();
                    } else {
                        drawing.row = rows.logits(index);
                        whole.add(drawing);
                    }
                });
            }
        }
        // Each sorts its whole row.
        whole.parallelStream().forEach(Drawing::complete);
        whole.forEach(drawing -> drawing.sequence.guarded(sequence -> drawing.take()));
    }

    /// The draw of one sequence's token.
    private static final class Drawing {
        private final Sequence sequence;
        private final TokenDraw draw;
        private final float @Nullable [] raw;
        private OptionalInt id;
        private @Nullable TokenLogprobs logprobs;
        private float @Nullable [] row;
        private @Nullable RuntimeException failure;

        /// @param largest logits of the row, after changes
        /// @param raw the row before changes; null if log probabilities come from the changed one
        Drawing(Sequence sequence, Candidates largest, float @Nullable [] raw) {
            this.sequence = sequence;
            this.draw = sequence.draw();
            this.raw = raw;
            this.id = draw.draw(largest);
            if (id.isPresent() && draw.wantsLogprobs()) {
                this.logprobs = raw != null
                        ? draw.logprobs(raw, id.getAsInt())
                        : draw.logprobs(largest, id.getAsInt()).orElse(null);
            }
        }

        /// False if the largest logits do not say enough.
        boolean isComplete() {
            return id.isPresent() && (logprobs != null || !draw.wantsLogprobs());
        }

        /// Draws from the whole row. Different drawings can be completed at the same time.
        void complete() {
            float[] all = Objects.requireNonNull(row);
            try {
                float[] unchanged = raw != null ? raw : all.clone();
                if (id.isEmpty()) {
                    id = OptionalInt.of(draw.drawChanged(all));
                }
                logprobs = draw.logprobs(unchanged, id.getAsInt());
            } catch (RuntimeException e) {
                failure = e;
            }
        }

        /// @throws RuntimeException if drawing from the whole row failed
        void take() {
            if (failure != null) {
                throw failure;
            }
            sequence.take(id.getAsInt(), logprobs);
        }
    }

    private void change(StepResult rows, List<Sequence> sequences, boolean[] isDrawn, Tensor logits, Buffers buffers) {
        int entries = buffers.places() == null ? 0 : buffers.places().extent(0);
        int[] places = new int[2 * entries];
        float[] changes = new float[2 * entries];
        int words = buffers.bits() == null ? 0 : buffers.bits().extent(1);
        int[] bits = new int[logits.extent(0) * words];
        int[] masked = new int[logits.extent(0)];
        int at = 0;
        for (int i = 0; i < isDrawn.length; i++) {
            TokenDraw draw = sequences.get(i).draw();
            LogitChanges own = draw.changes();
            if (isDrawn[i] && own != null) {
                own.write(0, own.size(), rows.row(i), places, changes, at);
                at += own.size();
            }
            if (isDrawn[i] && draw.isConstrained()) {
                int[] row = new int[words];
                draw.allowed(row);
                System.arraycopy(row, 0, bits, rows.row(i) * words, words);
                masked[rows.row(i)] = 1;
            }
        }
        SamplingOperations sampling = backend.operations().sampling();
        if (buffers.places() != null && buffers.changes() != null) {
            backend.upload(places, buffers.places());
            upload(changes, buffers.changes());
            sampling.adjustLogits(logits, buffers.places(), buffers.changes());
        }
        if (buffers.bits() != null && buffers.masked() != null) {
            backend.upload(bits, buffers.bits());
            backend.upload(masked, buffers.masked());
            sampling.maskLogits(logits, buffers.bits(), buffers.masked());
        }
    }

    /// The backend uploads ints; floats go as their bits.
    private void upload(float[] source, Tensor target) {
        int[] bits = new int[source.length];
        for (int i = 0; i < bits.length; i++) {
            bits[i] = Float.floatToRawIntBits(source[i]);
        }
        backend.upload(bits, new Tensor(DType.I32, target.shape(), target.memory(), target.byteOffset()));
    }

    /// Bytes of the buffers of a step of `rows` rows with the usual number of candidates.
    static long bytes(int rows, int vocabulary) {
        return 4L * rows * (2L * Math.min(vocabulary, TokenDraw.USUAL_CANDIDATES) + 4);
    }

    /// Buffers in one block of memory, which grows.
    private Buffers buffers(int count, int kept, int entries, int words) {
        long needed = 0;
        for (long part : new long[] {
            count,
            (long) count * kept,
            (long) count * kept,
            2L * count,
            2L * entries,
            2L * entries,
            (long) count * words,
            count
        }) {
            needed += aligned(part);
        }
        MemoryScope current = scope;
        if (current == null || capacity < needed) {
            close();
            current = backend.newScope("the buffers of drawn tokens");
            scope = current;
            capacity = needed;
            block = current.allocate(DType.I32, Math.toIntExact(capacity));
        }
        next = 0;
        return new Buffers(
                part(DType.F32, count),
                part(DType.F32, count, kept),
                part(DType.I32, count, kept),
                part(DType.F32, count, 2),
                entries == 0 ? null : part(DType.I32, entries, 2),
                entries == 0 ? null : part(DType.F32, entries, 2),
                words == 0 ? null : part(DType.I32, count, words),
                words == 0 ? null : part(DType.I32, count));
    }

    private Tensor part(DType type, int... extents) {
        Tensor whole = Objects.requireNonNull(block);
        Tensor part = new Tensor(type, Shape.of(extents), whole.memory(), whole.byteOffset() + 4 * next);
        next += aligned(part.elements());
        return part;
    }

    /// Parts begin at multiples of 256 bytes.
    private static long aligned(long elements) {
        return Math.ceilDiv(elements, 64) * 64;
    }

    @Override
    public void close() {
        if (scope != null) {
            backend.synchronize();
            scope.close();
            scope = null;
            block = null;
        }
    }

    /// @param inverse F32 `[r]`
    /// @param values F32 `[r, k]`
    /// @param ids I32 `[r, k]`
    /// @param logSums F32 `[r, 2]`
    /// @param places I32 `[n, 2]`, or null if no logit is changed
    /// @param changes F32 `[n, 2]`, or null
    /// @param bits I32 `[r, words]`, or null if nothing is masked
    /// @param masked I32 `[r]`, or null
    private record Buffers(
            Tensor inverse,
            Tensor values,
            Tensor ids,
            Tensor logSums,
            @Nullable Tensor places,
            @Nullable Tensor changes,
            @Nullable Tensor bits,
            @Nullable Tensor masked) {}
}
