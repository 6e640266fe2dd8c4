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

/// What the runs of a folder were, a file for each command: `run.json`, `run-2.json` and so on.
public final class RunFile {
    private static final String NOT_SET = "not set";

    /// Folders of files, which a run of generated tasks need not name: only two that differ are a
    /// difference.
    private static final Set<String> SOURCES = Set.of("data_dir", "ruler_files");

    private RunFile() {}

    /// Writes what a run is, over what the same command wrote before. Where there are no answers yet, what
    /// earlier commands wrote describes nothing, and goes.
    ///
    /// @param isAnswered whether the folder holds answers
    /// @throws IllegalArgumentException if the folder holds answers of this model that were made with
    ///     other settings, or a file that says of no run what it was
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
    /// @throws IllegalArgumentException if the folder holds a file that says of no run what it was
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

    /// Refuses to add answers to a folder whose answers of the same model were made with other
    /// settings.
    ///
    /// @param settings everything that decides answers and is not part of their keys
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
            throw new IllegalArgumentException(file + " " + e.getMessage() + ". Take it away", e);
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
        throw new IllegalArgumentException(folder + " holds answers that were made with other settings: "
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

    /// Reads one of the files.
    ///
    /// @throws IllegalArgumentException if it does not say what a run was; the message is a sentence about
    ///     the file without its name
    public static RunInfo read(Path file) {
        RunInfo run;
        try {
            run = Json.SNAKE_CASE.readValue(file.toFile(), RunInfo.class);
        } catch (JacksonException e) {
            throw new IllegalArgumentException("is no description of a run (" + e.getOriginalMessage() + ")", e);
        }
        if (!isWhole(run)) {
            throw new IllegalArgumentException("lacks fields that describe a run");
        }
        return run;
    }

    /// What is missing in JSON is null in the record.
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
