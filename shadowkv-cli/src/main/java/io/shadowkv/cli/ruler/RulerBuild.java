package io.shadowkv.cli.ruler;

import io.shadowkv.cli.process.NamedFailure;
import io.shadowkv.cli.process.ProgressLine;
import io.shadowkv.engine.Cancellation;
import io.shadowkv.eval.Json;
import io.shadowkv.eval.TaskContext;
import io.shadowkv.eval.ruler.RulerSuite;
import io.shadowkv.eval.ruler.RulerTask;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;

/// Writes rows, and resumes an earlier run with the same settings.
///
/// @param context the model and texts that rows are made for
/// @param settings stored next to the rows, so that rows of other settings are not mixed in
/// @param out folder of the tasks' folders
/// @param cancellation ends the work after a row
/// @param style style of the progress on standard error
record RulerBuild(
        TaskContext context, Settings settings, Path out, Cancellation cancellation, ProgressLine.Style style) {
    private static final String SETTINGS = "ruler-build.json";

    /// The settings that determine the rows.
    record Settings(
            String model,
            int length,
            long seed,
            String rulerVersion,
            String template,
            @Nullable String haystack) {}

    /// Number of rows in a file, and the end of the last complete line.
    private record Written(int rows, long bytes) {}

    /// Writes all tasks. A task that cannot be made is reported and skipped.
    ///
    /// @return whether all rows were written
    /// @throws IllegalArgumentException if the folder contains rows of other settings
    boolean run(List<String> tasks, int samples, PrintWriter print, PrintWriter err) throws IOException {
        claim(tasks);
        boolean isWhole = true;
        for (String name : tasks) {
            try {
                RulerTask task = new RulerSuite().open(name, context);
                isWhole &= write(task, name, samples, print, err);
            } catch (IllegalArgumentException e) {
                err.println("shadowkv: " + name + " cannot be made: " + e.getMessage());
                err.flush();
                isWhole = false;
            }
            if (cancellation.isRequested()) {
                err.println("shadowkv: interrupted; run the same command again to resume");
                err.flush();
                return false;
            }
        }
        return isWhole;
    }

    private Path file(String task) {
        return out.resolve(task).resolve("validation.jsonl");
    }

    /// Records the settings in the folder.
    private void claim(List<String> tasks) throws IOException {
        Path file = out.resolve(SETTINGS);
        if (Files.isRegularFile(file)) {
            Settings earlier;
            try {
                earlier = Json.SNAKE_CASE.readValue(Files.readString(file), Settings.class);
            } catch (JacksonException e) {
                throw new IllegalArgumentException(
                        file + ": was not written by this command (" + e.getOriginalMessage() + "). Give another --out",
                        e);
            }
            if (!earlier.equals(settings)) {
                throw new IllegalArgumentException(
                        out + " holds rows made with " + Json.SNAKE_CASE.writeValueAsString(earlier)
                                + "; this command asks for " + Json.SNAKE_CASE.writeValueAsString(settings)
                                + ". Give another --out, or delete the folder");
            }
            return;
        }
        for (String task : tasks) {
            if (Files.exists(file(task))) {
                throw new IllegalArgumentException(file(task) + " exists, but " + out + " has no " + SETTINGS
                        + " with its settings. Give another --out, or delete the file");
            }
        }
        Files.createDirectories(out);
        try {
            Files.writeString(file, Json.SNAKE_CASE.writeValueAsString(settings) + "\n");
        } catch (IOException e) {
            // A partial file would make the next run fail.
            Files.deleteIfExists(file);
            throw NamedFailure.of(file, e);
        }
    }

    private boolean write(RulerTask task, String name, int samples, PrintWriter print, PrintWriter err)
            throws IOException {
        Path file = file(name);
        Files.createDirectories(file.getParent());
        int wanted = Math.min(samples, task.size());
        int rows;
        try {
            rows = append(task, name, wanted, file, err);
        } catch (IOException e) {
            throw NamedFailure.of(file, e);
        }
        String less = wanted < samples ? " (its file has no more questions)" : "";
        print.printf("%-16s %,7d rows  %s%s%n", name, rows, file, less);
        print.flush();
        return rows >= wanted;
    }

    /// Appends rows until there are `wanted`, or the work is cancelled.
    ///
    /// @return number of rows in the file
    private int append(RulerTask task, String name, int wanted, Path file, PrintWriter err) throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
                var line = new ProgressLine(err, style, name)) {
            Written written = written(file);
            channel.truncate(written.bytes()).position(written.bytes());
            int rows = written.rows();
            for (; rows < wanted && !cancellation.isRequested(); rows++) {
                append(channel, task.row(rows).json() + "\n");
                line.update((rows + 1.0) / wanted, (rows + 1) + " of " + wanted);
            }
            return rows;
        }
    }

    private static void append(FileChannel channel, String line) throws IOException {
        ByteBuffer rest = ByteBuffer.wrap(line.getBytes(StandardCharsets.UTF_8));
        while (rest.hasRemaining()) {
            channel.write(rest);
        }
    }

    private static Written written(Path file) throws IOException {
        ByteBuffer buffer = ByteBuffer.allocate(1 << 20);
        int rows = 0;
        long whole = 0;
        long at = 0;
        try (FileChannel channel = FileChannel.open(file)) {
            while (channel.read(buffer.clear()) >= 0) {
                buffer.flip();
                while (buffer.hasRemaining()) {
                    at++;
                    if (buffer.get() == '\n') {
                        rows++;
                        whole = at;
                    }
                }
            }
        }
        return new Written(rows, whole);
    }
}
