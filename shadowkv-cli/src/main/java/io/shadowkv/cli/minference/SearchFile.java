package io.shadowkv.cli.minference;

import io.shadowkv.cache.prefill.PatternTrials;
import io.shadowkv.cli.process.NamedFailure;
import io.shadowkv.eval.Json;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Optional;
import tools.jackson.core.JacksonException;

/// The file of an unfinished search: what the texts that were read to their ends gave.
///
/// @param settings what the sums depend on
record SearchFile(Path path, Settings settings) {
    /// @param weights fingerprint of the model's weights
    /// @param texts identifies the texts
    /// @param rows number of rows that are measured in a text
    record Settings(String weights, String texts, int tokens, int rows, long seed) {}

    /// @param texts number of texts that were read to their ends
    record State(int texts, PatternTrials.Sums sums) {}

    private record Written(Settings settings, State state) {}

    /// What an interrupted search left; empty if there is none.
    ///
    /// @throws IllegalArgumentException if the file is of a search with other settings, or of no search
    Optional<State> read() throws IOException {
        if (!Files.exists(path)) {
            return Optional.empty();
        }
        Written written;
        try {
            written = Json.SNAKE_CASE.readValue(Files.readString(path), Written.class);
        } catch (JacksonException e) {
            throw new IllegalArgumentException(
                    path + " is not a search that was interrupted (" + e.getOriginalMessage()
                            + "). Delete it, or give another --out",
                    e);
        } catch (IOException e) {
            throw NamedFailure.of(path, e);
        }
        if (!settings.equals(written.settings)) {
            throw new IllegalArgumentException(path + " holds a search with "
                    + Json.SNAKE_CASE.writeValueAsString(written.settings) + "; this command asks for "
                    + Json.SNAKE_CASE.writeValueAsString(settings)
                    + ". Give the same options to resume it, delete it, or give another --out");
        }
        return Optional.of(written.state);
    }

    /// Replaces the file.
    void write(State state) throws IOException {
        Path next = path.resolveSibling(path.getFileName() + ".part");
        try {
            Files.writeString(next, Json.SNAKE_CASE.writeValueAsString(new Written(settings, state)));
            Files.move(next, path, StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            Files.deleteIfExists(next);
            throw NamedFailure.of(path, e);
        }
    }

    void delete() throws IOException {
        Files.deleteIfExists(path);
    }
}
