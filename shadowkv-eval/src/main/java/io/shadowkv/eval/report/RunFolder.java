package io.shadowkv.eval.report;

import io.shadowkv.eval.LeftOut;
import io.shadowkv.eval.run.AnswerLog;
import io.shadowkv.eval.run.AnswerRecord;
import io.shadowkv.eval.run.RunFile;
import io.shadowkv.eval.run.RunInfo;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// The output of all runs in a folder: every log named `answers*.jsonl` and every `run*.json`, in
/// the folder and in the folders directly below it. Only reads, so a run may still be writing.
///
/// @param answers of all logs; if two logs have the same key, the one read last counts
/// @param runs in the order of their files' names
/// @param notes what a reader should know: unreadable files and duplicate answers
record RunFolder(Collection<AnswerRecord> answers, List<RunInfo> runs, List<String> notes) {
    /// Reads a folder.
    ///
    /// @throws IllegalArgumentException if the folder does not exist, has no log or no answer, or a
    ///     line is not an answer
    /// @throws UncheckedIOException if a file cannot be read
    static RunFolder read(Path folder) {
        if (!Files.isDirectory(folder)) {
            throw new IllegalArgumentException(folder + ": "
                    + (Files.exists(folder) ? "is a file" : "no such folder")
                    + "; expected the folder into which `shadowkv eval` wrote answers.jsonl");
        }
        List<Path> logs = files(folder, "answers", ".jsonl");
        if (logs.isEmpty()) {
            throw new IllegalArgumentException(folder + ": neither it nor the folders in it have an answers.jsonl;"
                    + " expected the"
                    + " folder into which `shadowkv eval` wrote its answers");
        }
        List<String> notes = new ArrayList<>();
        Map<AnswerRecord.Key, AnswerRecord> answers = new LinkedHashMap<>();
        int twice = 0;
        for (Path log : logs) {
            for (AnswerRecord answer : AnswerLog.read(log)) {
                twice += answers.put(answer.key(), answer) == null ? 0 : 1;
            }
        }
        if (answers.isEmpty()) {
            throw new IllegalArgumentException(
                    logs.getFirst() + ": has no complete line yet; wait for the first answer, then try again");
        }
        if (twice > 0) {
            notes.add(twice + " answers are in more than one log; the log read last counts (logs are read in the"
                    + " order of their names).");
        }
        List<RunInfo> runs = runs(folder, notes);
        notes.addAll(LeftOut.sentences(leftOut(runs, answers.values())));
        return new RunFolder(answers.values(), runs, notes);
    }

    /// Samples that runs left out and that no later run has answered.
    private static List<LeftOut> leftOut(List<RunInfo> runs, Collection<AnswerRecord> answers) {
        record Place(String model, String task, int contextTokens, int index) {}
        Set<Place> answered = answers.stream()
                .map(AnswerRecord::key)
                .map(key -> new Place(key.model(), key.task(), key.contextTokens(), key.index()))
                .collect(Collectors.toSet());
        Map<Place, LeftOut> leftOut = new LinkedHashMap<>();
        for (RunInfo run : runs) {
            for (LeftOut one : run.leftOut()) {
                var place = new Place(run.model(), one.task(), one.contextTokens(), one.index());
                if (!answered.contains(place)) {
                    leftOut.putIfAbsent(place, one);
                }
            }
        }
        return List.copyOf(leftOut.values());
    }

    private static List<RunInfo> runs(Path folder, List<String> notes) {
        List<RunInfo> runs = new ArrayList<>();
        for (Path file : files(folder, "run", ".json")) {
            try {
                runs.add(RunFile.read(file));
            } catch (IllegalArgumentException e) {
                notes.add(folder.relativize(file) + " " + e.getMessage() + "; it is not in the report.");
            }
        }
        if (runs.isEmpty()) {
            notes.add("There is no run.json: command, commit, machine and settings of these answers are unknown.");
        }
        return runs;
    }

    private static List<Path> files(Path folder, String begin, String end) {
        try (Stream<Path> files = Files.find(folder, 2, (file, attributes) -> {
            String name = String.valueOf(file.getFileName());
            return attributes.isRegularFile() && name.startsWith(begin) && name.endsWith(end);
        })) {
            return files.sorted().toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
