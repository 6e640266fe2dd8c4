package io.shadowkv.spark;

import io.shadowkv.eval.rows.FakeRowWorkerMain;
import io.shadowkv.eval.rows.FakeRowWorkerMain.Fault;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import tools.jackson.databind.json.JsonMapper;

/// A table of questions about a few documents, in which rows of one document are far from each other.
final class TableQuestions {
    static final int ROWS = 24;
    static final int DOCUMENTS = 6;

    private TableQuestions() {}

    static String document(int row) {
        return "d".repeat(100 + row % DOCUMENTS);
    }

    static String question(int row) {
        return "question " + row;
    }

    /// Writes the table as JSON lines.
    static Path json(Path file) throws IOException {
        return Files.writeString(
                file,
                IntStream.range(0, ROWS)
                        .mapToObj(row -> JsonMapper.shared()
                                .writeValueAsString(
                                        Map.of("key", row, "document", document(row), "question", question(row))))
                        .collect(Collectors.joining("\n", "", "\n")));
    }

    /// The answers of a single process.
    static Map<Long, String> expected() {
        Map<Long, String> answers = new TreeMap<>();
        IntStream.range(0, ROWS)
                .forEach(row -> answers.put((long) row, FakeRowWorkerMain.answer(document(row), question(row))));
        return answers;
    }

    /// A program that stands for `shadowkv`: a fake worker whatever it is asked.
    static Path launcher(Path folder, Fault fault, String culprit, int times) throws IOException {
        List<String> command = new ArrayList<>(FakeRowWorkerMain.command(folder, fault, culprit, times));
        String script = command.stream().map(word -> "'" + word + "'").collect(Collectors.joining(" "));
        Path file = Files.writeString(folder.resolve("launcher"), "#!/bin/sh\nexec " + script + " \"$@\"\n");
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
        return file;
    }

    /// The answers in a folder of JSON lines, by key; fails if a key is there twice.
    static Map<Long, String> answers(Path output) throws IOException {
        Map<Long, String> answers = new TreeMap<>();
        for (Path file : files(output)) {
            for (String line : Files.readAllLines(file)) {
                var row = JsonMapper.shared().readTree(line);
                String answer = row.path("answer")
                        .stringValue("error: " + row.path("error").stringValue(""));
                if (answers.put(row.path("key").longValue(), answer) != null) {
                    throw new AssertionError(line + " is there twice");
                }
            }
        }
        return answers;
    }

    static List<Path> files(Path output) throws IOException {
        try (var files = Files.list(output)) {
            return files.filter(file -> file.getFileName().toString().startsWith("answers-"))
                    .toList();
        }
    }
}
