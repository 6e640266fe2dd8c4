package io.shadowkv.spark;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;

/// How a table is answered.
///
/// @param columns where the table has keys, documents, questions and options
/// @param command starts a worker on any of the machines: `shadowkv answer MODEL --worker ...`
/// @param batch number of rows that a worker has at a time; more than it decodes together keeps it
///     from waiting
/// @param documentsPerTask number of documents for which one worker is started, if there are more
///     than task slots. A larger number pays for fewer starts of workers, but all rows of a task are
///     asked again if its machine dies
/// @param resource name of Spark's resource whose address is the device's number
/// @param readySeconds time limit for loading the model
public record TableOptions(
        RowColumns columns, List<String> command, int batch, int documentsPerTask, String resource, int readySeconds)
        implements Serializable {
    public TableOptions {
        command = new ArrayList<>(command);
        if (command.isEmpty()) {
            throw new IllegalArgumentException(
                    "there is no command that starts a worker; give the program that answers");
        }
        if (batch < 1 || documentsPerTask < 1 || readySeconds < 1) {
            throw new IllegalArgumentException(
                    "batch, documents per task and seconds until a worker is ready must be at least 1; they are "
                            + batch + ", " + documentsPerTask + " and " + readySeconds);
        }
    }

    /// The usual columns and sizes.
    public static TableOptions of(List<String> command) {
        return new TableOptions(RowColumns.ofTexts(), command, 32, 8, "gpu", 900);
    }

    public TableOptions withColumns(RowColumns other) {
        return new TableOptions(other, command, batch, documentsPerTask, resource, readySeconds);
    }

    public TableOptions withBatch(int rows) {
        return new TableOptions(columns, command, rows, documentsPerTask, resource, readySeconds);
    }

    public TableOptions withDocumentsPerTask(int documents) {
        return new TableOptions(columns, command, batch, documents, resource, readySeconds);
    }

    public TableOptions withResource(String name) {
        return new TableOptions(columns, command, batch, documentsPerTask, name, readySeconds);
    }

    public TableOptions withReadySeconds(int seconds) {
        return new TableOptions(columns, command, batch, documentsPerTask, resource, seconds);
    }
}
