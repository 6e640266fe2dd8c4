package io.shadowkv.spark;

import io.shadowkv.eval.rows.RowQuestion;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Iterator;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.Path;
import org.apache.spark.SparkEnv;
import org.apache.spark.deploy.SparkHadoopUtil;
import org.apache.spark.sql.Row;
import org.jspecify.annotations.Nullable;

/// The rows of a partition as questions. Reads documents that the table names by their paths, each
/// once if its rows are next to each other.
final class RowSource {
    private final Iterator<Row> rows;
    private final boolean hasPaths;
    private long number;
    private @Nullable String path;
    private @Nullable String text;
    private @Nullable String problem;

    /// A row whose question can be asked, or the reason why it cannot.
    ///
    /// @param key the key in the table
    record Asked(
            Object key,
            @Nullable RowQuestion question,
            @Nullable String error) {}

    /// @param rows key, document or its path, question, options
    RowSource(Iterator<Row> rows, boolean hasPaths) {
        this.rows = rows;
        this.hasPaths = hasPaths;
    }

    boolean hasNext() {
        return rows.hasNext();
    }

    /// The next row. Its question's key is its number in the partition.
    Asked next() {
        Row row = rows.next();
        Object key = row.get(0);
        String question = row.getString(2);
        if (row.isNullAt(1) || question == null) {
            return new Asked(
                    key,
                    null,
                    "the row has no " + (question == null ? "question" : "document") + "; its column is null");
        }
        String document = hasPaths ? read(row.getString(1)) : row.getString(1);
        return document == null
                ? new Asked(key, null, problem)
                : new Asked(key, new RowQuestion(Long.toString(number++), document, question, row.getString(3)), null);
    }

    private @Nullable String read(String wanted) {
        if (!wanted.equals(path)) {
            path = wanted;
            text = null;
            try {
                var file = new Path(wanted);
                var configuration =
                        SparkHadoopUtil.get().newConfiguration(SparkEnv.get().conf());
                try (FSDataInputStream in = file.getFileSystem(configuration).open(file)) {
                    text = StandardCharsets.UTF_8
                            .newDecoder()
                            .decode(ByteBuffer.wrap(in.readAllBytes()))
                            .toString();
                }
            } catch (FileNotFoundException e) {
                problem = "the document " + wanted + " was not found on the machine of the task; the path must be the"
                        + " same on every machine, or of a shared file system: " + e.getMessage();
            } catch (CharacterCodingException e) {
                problem = "the document " + wanted + " is not UTF-8 text; convert it first";
            } catch (IOException | IllegalArgumentException e) {
                problem = "the document " + wanted + " cannot be read: " + e.getMessage();
            }
        }
        return text;
    }
}
