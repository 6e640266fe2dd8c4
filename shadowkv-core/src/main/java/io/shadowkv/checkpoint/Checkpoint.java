package io.shadowkv.checkpoint;

import io.shadowkv.tensor.BlockFormat;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Shape;
import io.shadowkv.tensor.Tensor;
import io.shadowkv.tensor.Weight;
import io.shadowkv.text.gguf.GgufHeader;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// A checkpoint: a folder with one or many safetensors files and two configurations, or a GGUF file
/// that has everything in it.
///
/// Weights are never copied: tensors are views of the mapped files, valid until the checkpoint, or
/// the arena passed to [#open(Path, Arena)], is closed. Immutable and safe to share between
/// threads. The caller must not close it while a thread reads.
public final class Checkpoint implements AutoCloseable {
    private static final Map<String, DType> WEIGHT_TYPES =
            Map.of("BF16", DType.BF16, "F16", DType.F16, "F32", DType.F32);
    /// Suffixes of tensors whose numbers are finite; masks, for example, have infinities.
    private static final List<String> FINITE = List.of("weight", "bias", "scales", "_scale", "_scale_inv");

    private static final List<String> PACKED = List.of("qweight", "weight_packed", "W_q");

    private static final String UNQUANTISED =
            ". The weights are quantised, which this engine does not read; take the unquantised checkpoint";

    private final Path folder;
    private final boolean isGguf;
    private final boolean hasOwnTokenizer;
    private final Optional<QuantizedFormat> quantized;
    private final @Nullable Arena owned;
    private final ModelConfig config;
    private final Map<String, TensorFile> fileOf;
    private final List<String> notes;
    private final Set<String> read = ConcurrentHashMap.newKeySet();
    private @Nullable GenerationConfig generation;

    private Checkpoint(Path folder, @Nullable Arena owned, Arena arena) {
        this.folder = folder;
        this.owned = owned;
        this.isGguf = GgufModel.isGguf(folder);
        if (isGguf) {
            GgufModel model = GgufModel.open(folder, arena);
            this.config = model.config();
            this.hasOwnTokenizer = model.hasTokenizer();
            this.quantized = Optional.empty();
            this.notes = List.of();
            this.fileOf = model.fileOf();
            return;
        }
        this.hasOwnTokenizer = false;
        Path configFile = CheckpointFolder.config(folder);
        this.config = ModelConfig.read(configFile);
        this.quantized = Quantization.read(folder, config);
        this.notes = notes(folder);
        this.fileOf = CheckpointFolder.weights(folder, arena);
        quantized.ifPresent(this::requireQuantised);
    }

    /// A configuration of another checkpoint would have plain weights read as if they were meant to be.
    private void requireQuantised(QuantizedFormat format) {
        boolean isPlain = names().stream().allMatch(name -> WEIGHT_TYPES.containsKey(typeName(name)));
        if (isPlain && matrices().noneMatch(name -> format.holds(fileOf, name))) {
            throw new CheckpointException(folder + ": the configuration says that the weights are quantised with "
                    + format.method() + ", but no tensor is, such as "
                    + names().stream().limit(3).toList()
                    + ". Fetch configuration and weights from the same place");
        }
    }

    /// Names of matrices, as they would be if they were plain.
    private Stream<String> matrices() {
        return fileOf.keySet().stream().map(name -> name.replaceFirst("\\.(qweight|weight_packed)$", ".weight"));
    }

    /// True if there is a matrix `name`, in any format that this engine reads.
    public boolean hasWeight(String name) {
        return has(name) || quantized.isPresent() && quantized.get().holds(fileOf, name);
    }

    /// Checks that every tensor of a GGUF file was asked for: one that is left out changes the model.
    /// Other checkpoints may have tensors that belong to nothing here, such as buffers.
    ///
    /// @throws CheckpointException names the tensors
    public void requireAllRead() {
        if (!isGguf) {
            return;
        }
        List<String> unread = names().stream()
                .filter(name -> !read.contains(name) && !GgufNames.CONFIGURATION.contains(name))
                .toList();
        if (!unread.isEmpty()) {
            throw new CheckpointException(folder + ": " + unread.size() + " of its " + names().size()
                    + " tensors, such as "
                    + unread.stream().limit(3).map(GgufNames::inFile).toList()
                    + ", are not part of the model that the file's metadata describes. Take another file, or the model's"
                    + " safetensors version");
        }
    }

    /// Opens `folder`, or a GGUF file, and maps its weights until [#close]. Of a split GGUF file,
    /// `folder` is the first part.
    ///
    /// @throws CheckpointException if this is not a checkpoint, its weights are quantised in a format
    ///     that this engine does not read, or one of its files is missing, truncated or inconsistent
    public static Checkpoint open(Path folder) {
        Arena arena = Arena.ofShared();
        try {
            return new Checkpoint(folder, arena, arena);
        } catch (RuntimeException e) {
            arena.close();
            throw e;
        }
    }

    /// Opens `folder` and maps its weights until the caller closes `arena`; [#close] then does nothing.
    ///
    /// @throws CheckpointException as [#open(Path)]
    public static Checkpoint open(Path folder, Arena arena) {
        return new Checkpoint(folder, null, arena);
    }

    /// The folder, or the GGUF file.
    public Path folder() {
        return folder;
    }

    /// True if the checkpoint has a tokenizer.
    public boolean hasTokenizer() {
        return hasOwnTokenizer
                || Files.exists(folder.resolve("tokenizer.json"))
                || Files.exists(folder.resolve("tokenizer.model"));
    }

    public ModelConfig config() {
        return config;
    }

    /// The bytes that configure the model: those of `config.json` and `generation_config.json`, or the
    /// header of a GGUF file.
    public byte[] configuration() {
        try {
            if (isGguf) {
                try (InputStream in = Files.newInputStream(folder)) {
                    return in.readNBytes(Math.toIntExact(GgufHeader.read(folder).dataStart()));
                }
            }
            var bytes = new ByteArrayOutputStream();
            for (String name : List.of("config.json", "generation_config.json")) {
                if (Files.exists(folder.resolve(name))) {
                    bytes.writeBytes(Files.readAllBytes(folder.resolve(name)));
                }
            }
            return bytes.toByteArray();
        } catch (IOException e) {
            throw CheckpointException.io("read the configuration of " + folder, e);
        }
    }

    /// Messages about contents of the folder that are not used; usually empty.
    public List<String> notes() {
        return notes;
    }

    /// The generation settings that the checkpoint recommends; read at first use.
    ///
    /// @throws CheckpointException if `generation_config.json` is malformed or a value is out of its range
    public synchronized GenerationConfig generation() {
        GenerationConfig read = generation;
        if (read == null) {
            Path file = folder.resolve("generation_config.json");
            read = GenerationConfig.read(
                    Files.exists(file) ? Optional.of(ModelConfig.read(file)) : Optional.empty(), config);
            generation = read;
        }
        return read;
    }

    /// Names of all tensors, file by file.
    public Set<String> names() {
        return Collections.unmodifiableSet(fileOf.keySet());
    }

    public boolean has(String name) {
        return fileOf.containsKey(name);
    }

    /// Total bytes of the named tensors.
    public long weightBytes() {
        return fileOf.entrySet().stream()
                .mapToLong(entry -> entry.getValue().bytes(entry.getKey()))
                .sum();
    }

    /// Sixteen hexadecimal digits that identify these weights: a hash over every tensor's name,
    /// type, shape and size and over samples of its data. It does not change when the same tensors
    /// are stored in other files.
    public String fingerprint() {
        var fingerprint = new Fingerprint();
        names().stream().sorted().forEach(name -> file(name).addTo(fingerprint, name));
        return fingerprint.text();
    }

    /// The type in which to compute and to store keys and values unless the user says otherwise:
    /// that of the largest tensor of plain numbers. If the weights are quantised and only small
    /// tensors are plain F32 numbers, it is BF16.
    public DType weightType() {
        DType plain = names().stream()
                .filter(name -> WEIGHT_TYPES.containsKey(typeName(name)))
                .max(Comparator.comparingLong(this::elements))
                .map(name -> Objects.requireNonNull(WEIGHT_TYPES.get(typeName(name))))
                .orElse(DType.BF16);
        return plain == DType.F32 && isQuantised() ? DType.BF16 : plain;
    }

    /// True if some of the weights are codes, which products decode.
    public boolean isQuantised() {
        return quantized.isPresent()
                || names().stream()
                        .anyMatch(name -> BlockFormat.named(typeName(name)).isPresent());
    }

    /// Number of weights that a stored tensor holds: more than its elements if several are packed
    /// into one, none for scales.
    public long weights(String name) {
        long elements = elements(name);
        return quantized.isPresent() ? quantized.get().weights(name, typeName(name), elements) : elements;
    }

    private List<String> notes(Path folder) {
        List<String> all = new ArrayList<>(CheckpointFolder.notes(folder));
        if (quantized.isPresent() && quantized.get().quantisesActivations()) {
            all.add(folder + ": was made for activations of 8 bits as well as weights; this engine computes with"
                    + " activations that are not quantised, which is at least as accurate");
        }
        return List.copyOf(all);
    }

    /// The format of most weights, for messages.
    public String weightFormat() {
        if (quantized.isPresent()) {
            return quantized.get().method() + " " + quantized.get().layout();
        }
        Map<String, Long> elements = new TreeMap<>();
        names().forEach(name -> elements.merge(typeName(name), elements(name), Long::sum));
        return elements.entrySet().stream()
                .max(Map.Entry.comparingByValue())
                .map(Map.Entry::getKey)
                .orElse(DType.BF16.name());
    }

    /// The type of a tensor, as the file spells it; it need not be one of [DType].
    ///
    /// @throws CheckpointException if there is no such tensor
    public String typeName(String name) {
        return file(name).typeName(name);
    }

    /// Number of elements of a tensor of any type.
    ///
    /// @throws CheckpointException if there is no such tensor
    public long elements(String name) {
        return file(name).elements(name);
    }

    /// A view of the mapped file, in the type and shape that the file states. It may start at any
    /// byte: use unaligned reads.
    ///
    /// @throws CheckpointException if there is no such tensor or its type is not a [DType]
    public Tensor tensor(String name) {
        return file(name).tensor(name);
    }

    /// A view of a weight of a known shape: BF16, F16 or F32.
    ///
    /// @param expectedExtents outermost first
    /// @throws CheckpointException if there is no such tensor or it has another shape or type
    public Tensor tensor(String name, int... expectedExtents) {
        TensorFile file = file(name);
        read.add(name);
        Shape expected = Shape.of(expectedExtents);
        if (!WEIGHT_TYPES.containsKey(file.typeName(name))) {
            throw new CheckpointException(
                    file.describe(name) + "; expected " + expected + " BF16, F16 or F32" + (isGguf ? "" : UNQUANTISED));
        }
        Tensor tensor = file.tensor(name);
        if (!tensor.shape().equals(expected)) {
            throw new CheckpointException(
                    file.describe(name) + "; expected " + expected + " " + tensor.dtype() + misfit());
        }
        return tensor;
    }

    private String misfit() {
        return isGguf
                ? ". The tensor does not fit the file's metadata; take another file of the model"
                : ". The weights do not fit config.json; fetch both from the same place";
    }

    /// A view of a matrix of weights of a known shape, in any format that this engine reads.
    ///
    /// @throws CheckpointException if there is no such tensor or it has another shape or format
    public Weight weight(String name, int outputs, int inputs) {
        if (quantized.isPresent() && quantized.get().holds(fileOf, name)) {
            return quantized.get().weight(fileOf, name, outputs, inputs);
        }
        TensorFile file = file(name);
        read.add(name);
        quantized.flatMap(format -> format.strayCompanion(fileOf, name)).ifPresent(companion -> {
            throw new CheckpointException(
                    file.describe(name) + " next to " + file(companion).describe(companion)
                            + "; expected codes, or no scales. The weights do not fit the configuration; fetch both from the"
                            + " same place");
        });
        if (WEIGHT_TYPES.containsKey(file.typeName(name)) || !isGguf) {
            return tensor(name, outputs, inputs);
        }
        Weight weight = file.weight(name);
        if (weight.outputs() != outputs || weight.inputs() != inputs) {
            throw new CheckpointException(
                    file.describe(name) + "; expected [" + outputs + ", " + inputs + "]" + misfit());
        }
        return weight;
    }

    /// Describes the first weight that contains NaN or an infinity, with position and value, to
    /// explain results that are not numbers. Reads all weights up to it.
    public Optional<String> notFinite() {
        return names().stream()
                .filter(name -> FINITE.stream().anyMatch(name::endsWith))
                .filter(name -> WEIGHT_TYPES.containsKey(typeName(name))
                        || BlockFormat.named(typeName(name)).isPresent())
                .flatMap(name -> file(name).notFinite(name).stream())
                .findFirst();
    }

    /// Unmaps the weights, if this checkpoint owns the mapping. No view may be read afterwards.
    @Override
    public void close() {
        if (owned != null && owned.scope().isAlive()) {
            owned.close();
        }
    }

    private TensorFile file(String name) {
        TensorFile file = fileOf.get(name);
        if (file == null) {
            String own = isGguf ? GgufNames.inFile(name) : name;
            List<String> some = fileOf.keySet().stream()
                    .limit(3)
                    .map(other -> isGguf ? GgufNames.inFile(other) : other)
                    .toList();
            throw new CheckpointException(folder.getFileName() + ": no " + SafetensorsHeader.label(own) + " among the "
                    + fileOf.size() + " of its weights, such as " + some
                    + (isPacked(name)
                            ? UNQUANTISED
                            : isGguf
                                    ? ". The file is incomplete or of another model than its metadata says"
                                    : ". config.json describes another model, or the weights are incomplete"));
        }
        return file;
    }

    /// True if the weight is stored quantised under another name, as GPTQ, AWQ, compressed-tensors
    /// and HQQ do.
    private boolean isPacked(String name) {
        return PACKED.stream().anyMatch(packed -> has(name.replaceFirst("weight$", packed)));
    }
}
