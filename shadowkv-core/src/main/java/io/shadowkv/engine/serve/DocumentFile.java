package io.shadowkv.engine.serve;

import io.shadowkv.cache.SequenceCache;
import io.shadowkv.cache.SequenceState;
import io.shadowkv.cache.prefill.PrefillSpec;
import io.shadowkv.checkpoint.CheckpointException;
import io.shadowkv.checkpoint.Safetensors;
import io.shadowkv.checkpoint.SafetensorsWriter;
import io.shadowkv.engine.EngineOptions;
import io.shadowkv.engine.PlannedSequence;
import io.shadowkv.engine.batch.Planner;
import io.shadowkv.engine.batch.Prefix;
import io.shadowkv.engine.batch.Scheduler;
import io.shadowkv.engine.model.LoadedModel;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Shape;
import io.shadowkv.tensor.Tensor;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.channels.WritableByteChannel;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.zip.CRC32C;

/// Writes a document to a file and reads it back. The file is in the safetensors format: the tensors
/// of the sequence, its ids and its last logits; in the metadata what it belongs to, and a CRC-32C of
/// every tensor.
///
/// Data moves in pieces. Only the copy of a piece runs on the engine's thread, so requests go on
/// meanwhile.
final class DocumentFile {
    private static final String FORMAT = "shadowkv-document";
    private static final String VERSION = "2";
    private static final String PREFILL = "prefill";
    /// Files without the key are of versions that read exactly.
    private static final String EXACT = new PrefillSpec.Exact().label();

    private static final String NUMBER = "number.";
    private static final String CHECKSUM = "crc32c.";
    private static final String IDS = "ids";
    private static final String LOGITS = "logits";

    private final LoadedModel model;
    private final EngineOptions options;
    private final Planner planner;
    private final Scheduler scheduler;
    private final EngineLoop loop;

    DocumentFile(LoadedModel model, EngineOptions options, Planner planner, Scheduler scheduler, EngineLoop loop) {
        this.model = model;
        this.options = options;
        this.planner = planner;
        this.scheduler = scheduler;
        this.loop = loop;
    }

    /// What a file must have been saved with.
    private Map<String, String> identity() {
        return Map.of(
                "format",
                FORMAT,
                "version",
                VERSION,
                "weights",
                model.weightsId(),
                "strategy",
                options.cache().toString(),
                PREFILL,
                options.prefill().label(),
                "kv_type",
                model.shape().kvType().toString(),
                "shape",
                model.shape().toString());
    }

    /// Writes a document atomically.
    ///
    /// @throws CheckpointException if the file cannot be written; an earlier file of that name is
    ///     unchanged
    /// @throws IllegalStateException if the document is not held any more
    void save(int[] ids, Prefix prefix, Path file) {
        loop.call(() -> {
            if (!prefix.isHeld()) {
                throw new IllegalStateException("the document was closed; read it again to save it");
            }
            scheduler.prefixes().use(prefix);
            return true;
        });
        try (Arena arena = Arena.ofShared()) {
            SequenceState state = prefix.cache().state();
            SafetensorsWriter writer = new SafetensorsWriter();
            identity().forEach(writer::metadata);
            state.numbers().forEach((name, number) -> writer.metadata(NUMBER + name, number.toString()));
            MemorySegment buffer = arena.allocate(TensorPieces.MAX_BYTES, 64);
            state.tensors().forEach((name, tensor) -> {
                CRC32C checksum = new CRC32C();
                pieces(tensor, buffer, piece -> checksum.update(piece.asByteBuffer()));
                writer.metadata(CHECKSUM + name, Long.toHexString(checksum.getValue()));
                writer.add(name, tensor.dtype(), tensor.shape(), channel -> write(tensor, buffer, channel));
            });
            float[] logits = Objects.requireNonNull(prefix.logits(), "a document has the logits of its last token");
            writer.add(IDS, Shape.of(ids.length), ids);
            writer.metadata(CHECKSUM + IDS, Long.toHexString(checksum(MemorySegment.ofArray(ids))));
            writer.add(LOGITS, Shape.of(logits.length), logits);
            writer.metadata(CHECKSUM + LOGITS, Long.toHexString(checksum(MemorySegment.ofArray(logits))));
            writer.write(file);
        } finally {
            loop.between(() -> scheduler.prefixes().leave(prefix));
        }
    }

    private void write(Tensor tensor, MemorySegment buffer, WritableByteChannel channel) {
        pieces(tensor, buffer, piece -> {
            try {
                var bytes = piece.asByteBuffer();
                while (bytes.hasRemaining()) {
                    channel.write(bytes);
                }
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        });
    }

    /// Copies a tensor to the buffer piece by piece.
    private void pieces(Tensor tensor, MemorySegment buffer, java.util.function.Consumer<MemorySegment> sink) {
        TensorPieces.of(tensor, piece -> {
            Tensor copy = Tensor.of(piece.dtype(), piece.shape(), buffer.asSlice(0, piece.byteSize()));
            copy(piece, copy);
            sink.accept(copy.segment());
        });
    }

    private void copy(Tensor source, Tensor target) {
        loop.call(() -> {
            model.backend().operations().dense().copy(source, target);
            model.backend().synchronize();
            return true;
        });
    }

    private static long checksum(MemorySegment bytes) {
        CRC32C checksum = new CRC32C();
        byte[] copy = bytes.toArray(ValueLayout.JAVA_BYTE);
        checksum.update(copy, 0, copy.length);
        return checksum.getValue();
    }

    /// A document that was read from a file.
    ///
    /// @param bytes its memory
    record Opened(int[] ids, Prefix prefix, long bytes) {}

    /// Reads a file and keeps the document.
    ///
    /// @throws CheckpointException if the file is damaged
    /// @throws IllegalArgumentException if it belongs to something else
    /// @throws io.shadowkv.engine.MemoryPlanException if it does not fit the memory
    Opened open(Path file) {
        try (Arena arena = Arena.ofShared()) {
            Safetensors saved = Safetensors.open(file, arena);
            checkIdentity(file, saved.metadata());
            int[] ids = checked(file, saved, IDS, DType.I32).segment().toArray(ValueLayout.JAVA_INT);
            float[] logits = checked(file, saved, LOGITS, DType.F32).segment().toArray(ValueLayout.JAVA_FLOAT);
            Map<String, Long> numbers = new HashMap<>();
            saved.metadata().forEach((key, value) -> {
                if (key.startsWith(NUMBER)) {
                    numbers.put(key.substring(NUMBER.length()), Long.valueOf(value));
                }
            });
            model.limits().checkDocument(ids);
            PlannedSequence planned = planner.sequence(ids.length, options.maxBatch());
            SequenceCache cache = loop.call(() -> scheduler.restore(planned, numbers));
            try {
                cache.state().tensors().forEach((name, tensor) -> fill(file, saved, name, tensor));
                Prefix prefix = loop.call(() -> scheduler.prefixes().keep(ids, cache, logits));
                return new Opened(ids, prefix, planned.bytes().total());
            } catch (RuntimeException | Error e) {
                loop.between(() -> scheduler.ledger().free(cache));
                throw e;
            }
        }
    }

    private void checkIdentity(Path file, Map<String, String> found) {
        if (!FORMAT.equals(found.get("format"))) {
            throw new IllegalArgumentException(file
                    + " is a safetensors file, but not a saved document. Give a file that a document was saved to");
        }
        identity().forEach((key, expected) -> {
            String saved = key.equals(PREFILL) ? found.getOrDefault(key, EXACT) : found.get(key);
            if (!expected.equals(saved)) {
                throw new IllegalArgumentException(file + ": the document was saved with " + key + " " + saved
                        + "; this engine has " + expected + ". Open it with the same model and settings, or read the"
                        + " text again");
            }
        });
    }

    private void fill(Path file, Safetensors saved, String name, Tensor target) {
        Tensor source = tensor(file, saved, name);
        if (source.dtype() != target.dtype() || !source.shape().equals(target.shape())) {
            throw new CheckpointException(file + ": tensor \"" + name + "\" is " + source.shape() + " " + source.dtype()
                    + "; expected " + target.shape() + " " + target.dtype());
        }
        CRC32C checksum = new CRC32C();
        long[] done = new long[1];
        TensorPieces.of(target, piece -> {
            MemorySegment bytes = source.segment().asSlice(done[0], piece.byteSize());
            done[0] += piece.byteSize();
            checksum.update(bytes.asByteBuffer());
            copy(Tensor.of(piece.dtype(), piece.shape(), bytes), piece);
        });
        compare(file, saved, name, checksum.getValue());
    }

    private static Tensor checked(Path file, Safetensors saved, String name, DType type) {
        Tensor tensor = tensor(file, saved, name);
        if (tensor.dtype() != type) {
            throw new CheckpointException(
                    file + ": tensor \"" + name + "\" is " + tensor.dtype() + "; expected " + type);
        }
        compare(file, saved, name, checksum(tensor.segment()));
        return tensor;
    }

    private static Tensor tensor(Path file, Safetensors saved, String name) {
        if (!saved.has(name)) {
            throw new CheckpointException(file + " has no tensor \"" + name + "\"; the file is damaged");
        }
        return saved.tensor(name);
    }

    private static void compare(Path file, Safetensors saved, String name, long found) {
        String expected = saved.metadata().get(CHECKSUM + name);
        if (!Long.toHexString(found).equals(expected)) {
            throw new CheckpointException(file + ": tensor \"" + name + "\" has the checksum " + Long.toHexString(found)
                    + "; expected " + expected + ". The file is damaged; read the text again");
        }
    }
}
