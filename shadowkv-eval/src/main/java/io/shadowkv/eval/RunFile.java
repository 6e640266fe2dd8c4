package io.shadowkv.eval;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeSet;
import java.util.stream.Stream;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.PropertyNamingStrategies;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;

/// What the runs of a folder were, a file for each command: `run.json`, `run-2.json` and so on.
public final class RunFile {
    private static final JsonMapper MAPPER = JsonMapper.builder()
            .propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE)
            .enable(SerializationFeature.INDENT_OUTPUT)
            .build();

    private RunFile() {}

    /// Writes what a run is, over what the same command wrote before.
    ///
    /// @throws IllegalArgumentException if the folder holds answers of this model that were made with other
    ///     settings
    public static void write(Path folder, RunInfo run) {
        try {
            Files.createDirectories(folder);
            List<Path> files = files(folder);
            Path target = null;
            for (Path file : files) {
                RunInfo earlier = read(file);
                check(folder, earlier, run);
                if (earlier.command().equals(run.command())) {
                    target = file;
                }
            }
            if (target == null) {
                target = folder.resolve(files.isEmpty() ? "run.json" : "run-" + (files.size() + 1) + ".json");
            }
            Files.writeString(target, MAPPER.writeValueAsString(run) + "\n");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void check(Path folder, RunInfo earlier, RunInfo run) {
        if (!earlier.model().equals(run.model()) || earlier.settings().equals(run.settings())) {
            return;
        }
        List<String> differences = new ArrayList<>();
        var names = new TreeSet<>(earlier.settings().keySet());
        names.addAll(run.settings().keySet());
        for (String name : names) {
            String before = value(earlier.settings(), name);
            String now = value(run.settings(), name);
            if (!Objects.equals(before, now)) {
                differences.add(name + " was " + before + ", is " + now);
            }
        }
        throw new IllegalArgumentException(folder + " holds answers that were made with other settings: "
                + String.join("; ", differences) + ". Give another folder, or the settings they were made with");
    }

    private static String value(Map<String, String> settings, String name) {
        return settings.getOrDefault(name, "not set");
    }

    private static List<Path> files(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(file -> {
                        String name = String.valueOf(file.getFileName());
                        return name.startsWith("run") && name.endsWith(".json");
                    })
                    .sorted()
                    .toList();
        }
    }

    private static RunInfo read(Path file) {
        try {
            return MAPPER.readValue(file.toFile(), RunInfo.class);
        } catch (JacksonException e) {
            throw new IllegalArgumentException(
                    file + ": does not say what a run was (" + e.getOriginalMessage() + "). Take it away", e);
        }
    }
}
