package io.shadowkv.eval.run;

import io.shadowkv.eval.Json;
import io.shadowkv.eval.LeftOut;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import tools.jackson.core.JacksonException;

/// Descriptions of the runs in a folder, one file for each command: `run.json`, `run-2.json` and so
/// on.
public final class RunFile {
    private static final String NOT_SET = "not set";

    /// Folders of files. A run of generated tasks may leave them out, so they differ only if both
    /// are set.
    private static final Set<String> SOURCES = Set.of("data_dir", "ruler_files");

    private RunFile() {}

    /// Writes the description of a run; replaces the one that the same command wrote before. If the
    /// folder has no answers yet, descriptions of earlier commands are deleted.
    ///
    /// @param isAnswered whether the folder has answers
    /// @throws IllegalArgumentException if the folder has answers of this model that were made with
    ///     other settings, or an unreadable description
    public static void write(Path folder, RunInfo run, boolean isAnswered) {
        try {
            Files.createDirectories(folder);
            if (!isAnswered) {
                for (Path file : files(folder)) {
                    earlier(file);
                    Files.delete(file);
                }
            }
            List<Path> files = files(folder);
            Path target = null;
            for (Path file : files) {
                RunInfo earlier = earlier(file);
                check(folder, earlier, run.model(), run.settings());
                if (earlier.command().equals(run.command())) {
                    target = file;
                }
            }
            if (target == null) {
                target = folder.resolve(files.isEmpty() ? "run.json" : "run-" + (files.size() + 1) + ".json");
            }
            Files.writeString(
                    target, Json.SNAKE_CASE.writerWithDefaultPrettyPrinter().writeValueAsString(run) + "\n");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// The samples that an earlier run of this command left out.
    ///
    /// @throws IllegalArgumentException if a file of the folder does not describe a run
    public static List<LeftOut> leftOut(Path folder, String command) {
        if (!Files.isDirectory(folder)) {
            return List.of();
        }
        try {
            return files(folder).stream()
                    .map(RunFile::earlier)
                    .filter(run -> run.command().equals(command))
                    .flatMap(run -> run.leftOut().stream())
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// Checks that the folder's answers of the same model were made with the same settings.
    ///
    /// @param settings everything that determines answers and is not part of their keys
    /// @throws IllegalArgumentException as [#write]
    public static void check(Path folder, String model, Map<String, String> settings) {
        try {
            for (Path file : files(folder)) {
                check(folder, earlier(file), model, settings);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static RunInfo earlier(Path file) {
        try {
            return read(file);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(file + " " + e.getMessage() + ". Remove it", e);
        }
    }

    private static void check(Path folder, RunInfo earlier, String model, Map<String, String> settings) {
        if (!earlier.model().equals(model) || earlier.settings().equals(settings)) {
            return;
        }
        List<String> differences = new ArrayList<>();
        var names = new TreeSet<>(earlier.settings().keySet());
        names.addAll(settings.keySet());
        for (String name : names) {
            String before = value(earlier.settings(), name);
            String now = value(settings, name);
            boolean isOfOneOnly = before.equals(NOT_SET) || now.equals(NOT_SET);
            if (!before.equals(now) && !(isOfOneOnly && SOURCES.contains(name))) {
                differences.add(name + " was " + before + ", is " + now);
            }
        }
        if (differences.isEmpty()) {
            return;
        }
        throw new IllegalArgumentException(folder + " has answers that were made with other settings: "
                + String.join("; ", differences) + ". Give another folder, or the settings they were made with");
    }

    private static String value(Map<String, String> settings, String name) {
        return settings.getOrDefault(name, NOT_SET);
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

    /// Reads a description.
    ///
    /// @throws IllegalArgumentException if it is malformed; the message is a sentence about the
    ///     file without its name
    public static RunInfo read(Path file) {
        RunInfo run;
        try {
            run = Json.SNAKE_CASE.readValue(file.toFile(), RunInfo.class);
        } catch (JacksonException e) {
            throw new IllegalArgumentException("is not a description of a run (" + e.getOriginalMessage() + ")", e);
        }
        if (!isWhole(run)) {
            throw new IllegalArgumentException("lacks fields of a run's description");
        }
        return run;
    }

    /// True if no object is missing in the JSON; a missing one is null in the record.
    private static boolean isWhole(RunInfo run) {
        return Stream.of(
                        run.title(),
                        run.command(),
                        run.commit(),
                        run.model(),
                        run.modelFacts(),
                        run.machine(),
                        run.backend(),
                        run.kvType(),
                        run.tasks(),
                        run.contexts(),
                        run.methods(),
                        run.settings(),
                        run.started())
                .allMatch(Objects::nonNull);
    }
}
