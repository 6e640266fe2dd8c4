package io.shadowkv.checkpoint;

import io.shadowkv.text.gguf.GgufException;
import io.shadowkv.text.gguf.GgufHeader;
import io.shadowkv.text.gguf.GgufTensor;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Opens a GGUF model: one file, or the parts `NAME-00001-of-0000N.gguf` of a split one, whose first
/// part has the metadata.
///
/// @param config what `config.json` would say
/// @param fileOf the file of each tensor, by its safetensors name
record GgufModel(ModelConfig config, Map<String, TensorFile> fileOf, boolean hasTokenizer) {
    private static final Pattern PART = Pattern.compile("(.*)-(\\d{5})-of-(\\d{5})\\.gguf");
    private static final String PARTS = "split.count";

    /// @throws CheckpointException if a file is missing, truncated or inconsistent, or the model has
    ///     another architecture
    static GgufModel open(Path file, Arena arena) {
        try {
            List<GgufHeader> headers = headers(file);
            GgufHeader first = headers.getFirst();
            Map<String, TensorFile> fileOf = new LinkedHashMap<>();
            List<GgufTensor> tensors = new ArrayList<>();
            GgufConfig.checkArchitecture(first);
            boolean isFused = GgufConfig.isFused(first);
            for (GgufHeader header : headers) {
                checkNames(header, first);
                GgufTensors opened = GgufTensors.open(
                        header, name -> GgufNames.of(name, isFused).orElse(name), arena);
                for (String name : opened.names()) {
                    if (fileOf.put(name, opened) != null) {
                        throw new CheckpointException(
                                header.source() + ": " + opened.label(name) + " is in another part of the model too");
                    }
                }
                tensors.addAll(header.tensors());
            }
            return new GgufModel(GgufConfig.of(first, tensors, fileOf), fileOf, first.has("tokenizer.ggml.tokens"));
        } catch (GgufException e) {
            throw new CheckpointException(String.valueOf(e.getMessage()), e);
        }
    }

    /// True if `file` is a GGUF file.
    ///
    /// @throws CheckpointException if the file cannot be read
    static boolean isGguf(Path file) {
        try {
            return GgufHeader.isGguf(file);
        } catch (GgufException e) {
            throw new CheckpointException(String.valueOf(e.getMessage()), e);
        }
    }

    /// A tensor that nobody reads would be left out of the model without a word.
    private static void checkNames(GgufHeader header, GgufHeader first) {
        boolean isFused = GgufConfig.isFused(first);
        List<String> unknown = header.tensors().stream()
                .map(GgufTensor::name)
                .filter(name -> GgufNames.of(name, isFused).isEmpty())
                .map(Json::shorten)
                .toList();
        if (!unknown.isEmpty()) {
            throw new CheckpointException(header.source() + ": " + unknown.size() + " of its "
                    + header.tensors().size()
                    + " tensors, such as " + unknown.stream().limit(3).toList() + ", are not part of a "
                    + first.string(GgufConfig.ARCHITECTURE).orElse("") + " model as this engine knows it. Take the"
                    + " model's safetensors version");
        }
    }

    private static List<GgufHeader> headers(Path file) {
        GgufHeader first = GgufHeader.read(file);
        long parts = first.integer(PARTS).orElse(1);
        if (parts <= 1) {
            return List.of(first);
        }
        Matcher name = PART.matcher(file.getFileName().toString());
        if (!name.matches() || Long.parseLong(name.group(3)) != parts) {
            throw new CheckpointException(first.source() + ": the metadata says that this is one of " + parts
                    + " parts; expected a name that ends in -00001-of-" + five(parts) + ".gguf. Keep the names of the"
                    + " parts as they were published");
        }
        if (!name.group(2).equals(five(1))) {
            throw new CheckpointException(first.source() + ": this is part " + Integer.parseInt(name.group(2)) + " of "
                    + parts + ". Give the first part, " + part(name, 1) + ", which has the metadata");
        }
        List<GgufHeader> headers = new ArrayList<>(List.of(first));
        long tensors = first.tensors().size();
        for (long i = 2; i <= parts; i++) {
            Path next = file.resolveSibling(part(name, i));
            if (!Files.isRegularFile(next)) {
                throw new CheckpointException(first.source() + ": the model has " + parts + " parts, and "
                        + next.getFileName() + " is not in the same folder. Fetch it, or pull the model again");
            }
            GgufHeader header = GgufHeader.read(next);
            headers.add(header);
            tensors += header.tensors().size();
        }
        long expected = first.integer("split.tensors.count").orElse(tensors);
        if (tensors != expected) {
            throw new CheckpointException(first.source() + ": the " + parts + " parts have " + tensors
                    + " tensors; expected " + expected + ". They are of different versions; fetch them again");
        }
        return headers;
    }

    private static String part(Matcher name, long number) {
        return name.group(1) + "-" + five(number) + "-of-" + name.group(3) + ".gguf";
    }

    private static String five(long number) {
        return String.format(Locale.ROOT, "%05d", number);
    }
}
