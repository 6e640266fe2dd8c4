package io.shadowkv.cli.process;

import io.shadowkv.checkpoint.CheckpointException;
import io.shadowkv.hub.Hub;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// Finds the folder that a MODEL argument means: a bundled model's name, a folder, or ORG/NAME in the hub's
/// cache.
public final class ModelFinder {
    private static final Pattern REPOSITORY = Pattern.compile("[A-Za-z0-9][\\w.-]*/[A-Za-z0-9][\\w.-]*");
    private static final String PUBLIC_HUB = "https://huggingface.co";

    private final Surroundings surroundings;

    public ModelFinder(Surroundings surroundings) {
        this.surroundings = surroundings;
    }

    /// @throws CheckpointException if there is no such model here; the message says how to get it
    public Path resolve(String model) {
        Optional<Path> found = bundled(model).or(() -> existing(model)).or(() -> cached(model));
        return found.orElseThrow(() -> new CheckpointException(
                REPOSITORY.matcher(model).matches()
                        ? model + ": no such folder, and not downloaded to " + cacheFolder(null)
                                + "; run `shadowkv pull " + model + "` first"
                        : model
                                + ": no such folder. Give a folder with config.json and *.safetensors, ORG/NAME of a pulled"
                                + " model, or a bundled model: " + String.join(", ", bundledNames())));
    }

    /// True if a folder is one of the bundled models', by whatever name it was found.
    public boolean isBundled(Path folder) {
        Path parent = folder.toAbsolutePath().normalize().getParent();
        return parent != null
                && surroundings
                        .home()
                        .map(home -> home.resolve("models").toAbsolutePath().normalize())
                        .filter(parent::equals)
                        .isPresent();
    }

    /// The hub as the environment describes it.
    ///
    /// @param folder cache folder given on the command line; null takes the environment's
    public Hub hub(@Nullable Path folder) {
        URI endpoint = URI.create(surroundings.variable("HF_ENDPOINT").orElse(PUBLIC_HUB));
        return new Hub(endpoint, surroundings.variable("HF_TOKEN").orElse(null), cacheFolder(folder));
    }

    private Path cacheFolder(@Nullable Path folder) {
        if (folder != null) {
            return folder;
        }
        Path home = Path.of(System.getProperty("user.home", ""));
        return surroundings
                .variable("HF_HUB_CACHE")
                .map(Path::of)
                .or(() -> surroundings.variable("HF_HOME").map(value -> Path.of(value, "hub")))
                .or(() -> surroundings.variable("XDG_CACHE_HOME").map(value -> Path.of(value, "huggingface", "hub")))
                .orElse(home.resolve(".cache").resolve("huggingface").resolve("hub"));
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
        return REPOSITORY.matcher(model).matches() ? hub(null).cached(model, "main") : Optional.empty();
    }
}
