package io.shadowkv.spark;

import java.time.Duration;
import java.util.List;
import org.apache.spark.sql.Row;

/// Prints how far a table is.
final class TableProgress {
    private final long total;
    private final long start = System.nanoTime();
    private long done;
    private long errors;

    TableProgress(long total) {
        this.total = total;
    }

    /// The rows of a task are in the output.
    void add(List<Row> rows) {
        done += rows.size();
        errors += rows.stream().filter(row -> !row.isNullAt(2)).count();
        Duration left = Duration.ofNanos((System.nanoTime() - start) / Math.max(1, done) * (total - done));
        System.err.printf(
                "answered %,d of %,d rows%s%s%n",
                done,
                total,
                errors == 0 ? "" : ", " + errors + " of them have an error",
                done == total ? "" : ", about " + Math.ceilDiv(left.toSeconds(), 60) + " min left");
    }
}
