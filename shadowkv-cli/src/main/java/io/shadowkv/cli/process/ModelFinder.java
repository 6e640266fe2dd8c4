package io.shadowkv.cli.process;

import io.shadowkv.checkpoint.CheckpointException;
import io.shadowkv.hub.Hub;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// Finds the folder or GGUF file for a MODEL argument: the name of a bundled model, a path, or
/// ORG/NAME in the hub's cache.
public final class ModelFinder {
    /// A GGUF file, and of a split one the first part.
    private static final Pattern GGUF = Pattern.compile("(?!.*-(?!00001)\\d{5}-of-\\d{5}\\.gguf).*\\.gguf");
    private static final Pattern REPOSITORY = Pattern.compile("[A-Za-z0-9][\\w.-]*/[A-Za-z0-9][\\w.-]*");

    private final Surroundings surroundings;

    public ModelFinder(Surroundings surroundings) {
        this.surroundings = surroundings;
    }

    /// The model's folder, or its GGUF file: also the only one in a folder that has nothing else.
    ///
    /// @throws CheckpointException if the model does not exist, or a folder has several GGUF files; the
    ///     message says how to get it
    public Path resolve(String model) {
        Optional<Path> found = bundled(model).or(() -> existing(model)).or(() -> cached(model));
        return found.map(ModelFinder::whole)
                .orElseThrow(() -> new CheckpointException(
                        REPOSITORY.matcher(model).matches()
                                ? model + ": no such folder, and not downloaded to " + cacheFolder(null)
                                        + "; run `shadowkv pull " + model + "` first"
                                : model
                                        + ": no such folder. Give a folder with config.json and *.safetensors, a GGUF file, ORG/NAME of a pulled"
                                        + " model, or a bundled model: " + String.join(", ", bundledNames())));
    }

    /// A folder with GGUF files and without `config.json` stands for its only model. Only the first
    /// part of a split one counts.
    private static Path whole(Path folder) {
        if (!Files.isDirectory(folder) || Files.exists(folder.resolve("config.json"))) {
            return folder;
        }
        try (Stream<Path> files = Files.list(folder)) {
            List<Path> models = files.filter(
                            file -> GGUF.matcher(file.getFileName().toString()).matches())
                    .sorted()
                    .toList();
            if (models.size() > 1) {
                throw new CheckpointException(folder + ": has " + models.size() + " GGUF models: "
                        + String.join(
                                ", ",
                                models.stream()
                                        .map(file -> file.getFileName().toString())
                                        .toList())
                        + ". Give the file itself");
            }
            return models.isEmpty() ? folder : models.getFirst();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// True if the folder is that of a bundled model, however it was named.
    public boolean isBundled(Path folder) {
        Path parent = folder.toAbsolutePath().normalize().getParent();
        return parent != null
                && surroundings
                        .home()
                        .map(home -> home.resolve("models").toAbsolutePath().normalize())
                        .filter(parent::equals)
                        .isPresent();
    }

    /// Creates the hub with the settings of the environment.
    ///
    /// @param folder cache folder given on the command line; null for the environment's
    /// @throws IllegalArgumentException if a variable has an invalid value
    public Hub hub(@Nullable Path folder) {
        return new Hub(new HubSettings(surroundings).access(), cacheFolder(folder));
    }

    private Path cacheFolder(@Nullable Path folder) {
        return folder == null ? new HubSettings(surroundings).cacheFolder() : folder;
    }

    private Optional<Path> bundled(String model) {
        return bundledNames().contains(model)
                ? surroundings.home().map(home -> home.resolve("models").resolve(model))
                : Optional.empty();
    }

    private List<String> bundledNames() {
        Optional<Path> models =
                surroundings.home().map(home -> home.resolve("models")).filter(Files::isDirectory);
        if (models.isEmpty()) {
            return List.of();
        }
        try (Stream<Path> folders = Files.list(models.get())) {
            return folders.filter(Files::isDirectory)
                    .map(folder -> folder.getFileName().toString())
                    .sorted()
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Optional<Path> existing(String model) {
        try {
            return Optional.of(Path.of(model)).filter(Files::exists);
        } catch (InvalidPathException e) {
            return Optional.empty();
        }
    }

    private Optional<Path> cached(String model) {
        return REPOSITORY.matcher(model).matches() ? Hub.cached(cacheFolder(null), model, "main") : Optional.empty();
    }
}
