package io.shadowkv.spark;

import static org.apache.spark.sql.functions.broadcast;
import static org.apache.spark.sql.functions.col;

import io.shadowkv.eval.Json;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.UUID;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.StructType;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/// The folder of a table of answers. It grows by one whole file for the answers of each task, and
/// only the driver writes to it: a file is there or not, and never there twice.
///
/// `_run.json` says what the answers were made with; `_SUCCESS` is there when all rows have an
/// answer or an error. Readers of Spark pass over both.
final class AnswerTable {
    private static final String SUCCESS = "_SUCCESS";
    /// No column of a table of questions has this name.
    private static final String ANSWERED = "_shadowkv_answered_key";

    private static final String RUN = "_run.json";

    private final SparkSession spark;
    private final Path folder;
    private final TableFormat format;
    private final StructType schema;
    private final Configuration configuration;
    private final FileSystem files;

    /// @param schema of [TableAnswers#schema]
    AnswerTable(SparkSession spark, String folder, TableFormat format, StructType schema) {
        this.spark = spark;
        this.folder = new Path(folder);
        this.format = format;
        this.schema = schema;
        this.configuration = spark.sparkContext().hadoopConfiguration();
        try {
            this.files = this.folder.getFileSystem(configuration);
        } catch (IOException e) {
            throw failure("cannot be opened", e);
        }
    }

    /// Prepares the folder: creates it, or compares what its answers were made with.
    ///
    /// @param run what decides about the answers
    /// @throws IllegalArgumentException if the folder has other files, or answers of another run
    void open(ObjectNode run) {
        try {
            Path file = new Path(folder, RUN);
            if (files.exists(file)) {
                compare(run, Json.SNAKE_CASE.readTree(text(file)));
            } else if (!isEmpty()) {
                throw new IllegalArgumentException("the output " + folder + " has files, but not " + RUN
                        + ", so it is not a table of answers. Give a new folder");
            }
            files.mkdirs(folder);
            files.delete(new Path(folder, SUCCESS), false);
            publish(RUN, run.toPrettyString() + "\n");
        } catch (IOException e) {
            throw failure("cannot be prepared", e);
        }
    }

    private void compare(JsonNode run, JsonNode before) {
        List<String> differences = new ArrayList<>();
        for (String name : run.propertyNames()) {
            if (!run.path(name).equals(before.path(name))) {
                differences.add(name + " was " + before.path(name) + ", is " + run.path(name));
            }
        }
        if (!differences.isEmpty()) {
            throw new IllegalArgumentException("the answers in " + folder + " were made with other settings: "
                    + String.join("; ", differences) + ". Give another output, or the same settings");
        }
    }

    private boolean isEmpty() throws IOException {
        try {
            return Arrays.stream(files.listStatus(folder))
                    .map(FileStatus::getPath)
                    .noneMatch(file -> !file.getName().startsWith("."));
        } catch (FileNotFoundException _) {
            return true;
        }
    }

    private String text(Path file) throws IOException {
        try (FSDataInputStream in = files.open(file)) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    /// Writes a small file that is whole or absent.
    private void publish(String name, String content) throws IOException {
        Path part = new Path(folder, "_" + UUID.randomUUID());
        try (FSDataOutputStream out = files.create(part, false)) {
            out.write(content.getBytes(StandardCharsets.UTF_8));
        }
        files.delete(new Path(folder, name), false);
        rename(part, name);
    }

    private void rename(Path part, String name) throws IOException {
        if (!files.rename(part, new Path(folder, name))) {
            throw new IOException(part + " could not be renamed to " + name);
        }
    }

    /// All answers.
    Dataset<Row> rows() {
        return spark.read().schema(schema).format(format.sparkName()).load(folder.toString());
    }

    /// The rows of `table` that are not answered. Documents are not shuffled.
    ///
    /// @param key name of the key's column
    Dataset<Row> open(Dataset<Row> table, String key) {
        Dataset<Row> answered = rows().select(col(RowColumns.KEY).as(ANSWERED));
        return table.join(broadcast(answered), RowColumns.named(key).equalTo(col(ANSWERED)), "left_anti");
    }

    /// Adds the answers of a task as one file.
    void add(List<Row> answers) {
        if (answers.isEmpty()) {
            return;
        }
        String id = UUID.randomUUID().toString();
        Path part = new Path(folder, "_" + id);
        try {
            format.write(answers, schema, part, configuration);
            rename(part, "answers-" + id + format.ending());
        } catch (IOException e) {
            throw failure("cannot be written; the answers of earlier tasks are in it", e);
        }
    }

    /// Marks the table as complete.
    void complete() {
        try {
            publish(SUCCESS, "");
        } catch (IOException e) {
            throw failure("cannot be completed", e);
        }
    }

    private UncheckedIOException failure(String what, IOException cause) {
        return new UncheckedIOException(
                "the output " + folder + " " + what + ": "
                        + Objects.requireNonNullElse(cause.getMessage(), cause.toString()),
                cause);
    }
}
