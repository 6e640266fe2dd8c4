package io.shadowkv.checkpoint;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import tools.jackson.databind.JsonNode;

/// Finds the files of a checkpoint folder and says what is missing.
public final class CheckpointFolder {
    public static final String SINGLE = "model.safetensors";
    public static final String INDEX = "model.safetensors.index.json";

    private static final String ADAPTER = "adapter_config.json";
    private static final String MERGE =
            "To use it, merge it into its base model once with Python: merge_and_unload() and save_pretrained(FOLDER) of"
                    + " the peft library";

    private CheckpointFolder() {}

    /// @throws CheckpointException if `folder` is not a folder or has no `config.json`
    static Path config(Path folder) {
        if (!Files.exists(folder)) {
            throw new CheckpointException(
                    folder + ": no such folder. Give a folder with config.json and *.safetensors, or"
                            + " fetch a model with `shadowkv pull ORG/NAME`. The bundled model is the folder"
                            + " models/needle-32k of a checkout or a distribution");
        }
        if (!Files.isDirectory(folder)) {
            throw new CheckpointException(
                    folder + ": a file, not a folder. Give the folder that holds config.json and *.safetensors, or a"
                            + " GGUF file");
        }
        Path config = folder.resolve("config.json");
        if (!Files.isRegularFile(config)) {
            List<String> names = names(folder);
            if (isAdapter(names)) {
                throw adapterOnly(folder);
            }
            List<String> gguf =
                    names.stream().filter(name -> name.endsWith(".gguf")).toList();
            if (!gguf.isEmpty()) {
                throw new CheckpointException(folder + ": no config.json, but " + Json.shorten(gguf.toString())
                        + ". Give one of these files itself, of a split one the first part");
            }
            throw new CheckpointException(folder + ": no config.json; "
                    + (names.isEmpty() ? "the folder is empty" : "found " + Json.shorten(names.toString()))
                    + ". Give a folder in the Hugging Face layout");
        }
        return config;
    }

    /// Maps every weight file; the result names each tensor's file.
    ///
    /// A plain `model.safetensors` wins over an index, as it does in transformers.
    static Map<String, TensorFile> weights(Path folder, Arena arena) {
        if (Files.isRegularFile(folder.resolve(SINGLE))) {
            return single(folder.resolve(SINGLE), arena);
        }
        if (Files.exists(folder.resolve(INDEX))) {
            return sharded(folder, arena);
        }
        List<String> names = names(folder);
        List<String> candidates = names.stream()
                .filter(name -> name.endsWith(".safetensors") && !isAdapter(name))
                .toList();
        if (candidates.size() == 1) {
            return single(folder.resolve(candidates.getFirst()), arena);
        }
        if (candidates.size() > 1) {
            throw new CheckpointException(folder + ": " + candidates.size() + " *.safetensors files but no " + INDEX
                    + ", which says what is where. Fetch the index from the place the weights came from");
        }
        List<String> pickled = names.stream()
                .filter(name -> isOtherFormat(name) && !isAdapter(name))
                .toList();
        if (pickled.isEmpty() && isAdapter(names)) {
            throw adapterOnly(folder);
        }
        throw new CheckpointException(
                folder + ": no *.safetensors"
                        + (pickled.isEmpty() ? "" : ", only " + Json.shorten(pickled.toString()))
                        + (pickled.isEmpty()
                                ? ". Fetch the weights too"
                                : pickled.stream().anyMatch(name -> name.endsWith(".gguf"))
                                        ? ". Give a GGUF file itself instead of its folder"
                                        : ", which the engine does not read. Save the model with"
                                                + " transformers' save_pretrained(..., safe_serialization=True), or fetch a safetensors version"));
    }

    /// Messages about contents of the folder other than weights that are not used.
    static List<String> notes(Path folder) {
        return isAdapter(names(folder))
                ? List.of(folder + ": holds an adapter" + adapterOf(folder) + " next to the model's weights; it is not"
                        + " applied. " + MERGE)
                : List.of();
    }

    private static boolean isAdapter(List<String> names) {
        return names.stream().anyMatch(CheckpointFolder::isAdapter);
    }

    private static boolean isAdapter(String name) {
        return name.startsWith("adapter_model.") || name.equals(ADAPTER);
    }

    private static CheckpointException adapterOnly(Path folder) {
        return new CheckpointException(folder + ": holds an adapter" + adapterOf(folder) + " without the weights of the"
                + " model that it changes. " + MERGE);
    }

    /// Kind and base model, as far as the adapter's configuration states them.
    private static String adapterOf(Path folder) {
        Path file = folder.resolve(ADAPTER);
        if (!Files.isRegularFile(file)) {
            return "";
        }
        JsonNode config = Json.object(file);
        String kind = config.path("peft_type").stringValue("");
        String base = config.path("base_model_name_or_path").stringValue("");
        return (kind.isEmpty() ? "" : " (" + Json.shorten(kind) + ")")
                + (base.isEmpty() ? "" : " of " + Json.shorten(base));
    }

    private static boolean isOtherFormat(String name) {
        return name.endsWith(".bin") || name.endsWith(".pth") || name.endsWith(".pt") || name.endsWith(".gguf");
    }

    private static Map<String, TensorFile> single(Path file, Arena arena) {
        Safetensors opened = Safetensors.open(file, arena);
        Map<String, TensorFile> fileOf = new LinkedHashMap<>();
        opened.names().forEach(name -> fileOf.put(name, opened));
        return fileOf;
    }

    private static Map<String, TensorFile> sharded(Path folder, Arena arena) {
        JsonNode map = Json.object(folder.resolve(INDEX)).path("weight_map");
        if (!map.isObject() || map.isEmpty()) {
            throw new CheckpointException(INDEX + ": \"weight_map\" is " + Json.describe(map)
                    + "; expected an object of tensor names and file names");
        }
        Map<String, Safetensors> shards = new TreeMap<>();
        Map<String, TensorFile> fileOf = new LinkedHashMap<>();
        for (Map.Entry<String, JsonNode> entry : map.properties()) {
            String shard = shardName(entry.getKey(), entry.getValue());
            Safetensors file = shards.get(shard);
            if (file == null) {
                file = openShard(folder, shard, arena);
                shards.put(shard, file);
            }
            if (!file.has(entry.getKey())) {
                throw new CheckpointException(
                        INDEX + ": " + SafetensorsHeader.label(entry.getKey()) + " should be in " + shard
                                + ", which does not hold it. Index and shards are of different versions; fetch them again");
            }
            fileOf.put(entry.getKey(), file);
        }
        return fileOf;
    }

    private static Safetensors openShard(Path folder, String shard, Arena arena) {
        Path file = folder.resolve(shard);
        if (!Files.isRegularFile(file)) {
            throw new CheckpointException(folder + ": the index names " + shard
                    + ", which is not there. Fetch it, or pull the model again: what is complete is kept");
        }
        return Safetensors.open(file, arena);
    }

    /// Shards lie in the folder itself; a name that leads elsewhere is an attack or a mistake.
    private static String shardName(String tensor, JsonNode value) {
        String shard = value.isString() ? value.stringValue() : "";
        boolean plain;
        try {
            plain = !shard.isEmpty()
                    && !shard.equals("..")
                    && !shard.contains("/")
                    && !shard.contains("\\")
                    && Path.of(shard).getNameCount() == 1;
        } catch (InvalidPathException e) {
            plain = false;
        }
        if (!plain) {
            throw new CheckpointException(INDEX + ": " + SafetensorsHeader.label(tensor) + " is mapped to "
                    + Json.describe(value) + "; expected the name of a file in the same folder");
        }
        return shard;
    }

    private static List<String> names(Path folder) {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(file -> file.getFileName().toString()).sorted().toList();
        } catch (IOException e) {
            throw CheckpointException.io("list " + folder, e);
        }
    }
}
