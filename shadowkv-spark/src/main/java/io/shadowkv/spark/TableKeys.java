package io.shadowkv.spark;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.count;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.sum;
import static org.apache.spark.sql.functions.when;

import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;

/// Checks that keys tell rows apart. Only keys are shuffled.
final class TableKeys {
    /// Where Spark puts lines that are not JSON.
    private static final String CORRUPT = "_corrupt_record";

    private static final int SHOWN = 3;

    private TableKeys() {}

    /// The number of rows.
    ///
    /// @throws IllegalArgumentException if a key is null or there twice
    static long check(Dataset<Row> table, String key) {
        Dataset<Row> perKey = table.select(RowColumns.named(key).as("key"))
                .groupBy("key")
                .agg(count(lit(1)).as("rows"));
        Row all = perKey.agg(
                        sum("rows"),
                        sum(when(col("key").isNull(), col("rows")).otherwise(lit(0L))),
                        sum(when(col("rows").gt(1).and(col("key").isNotNull()), lit(1L))
                                .otherwise(lit(0L))))
                .first();
        if (all.isNullAt(0)) {
            return 0;
        }
        if (all.getLong(1) > 0) {
            throw new IllegalArgumentException(all.getLong(1) + " of " + all.getLong(0)
                    + " rows have no key in column " + key
                    + (Arrays.asList(table.columns()).contains(CORRUPT)
                            ? "; some lines are not JSON objects. Write one object on each line"
                            : ". Give every row a key of its own, so that its answer can be told from others"));
        }
        if (all.getLong(2) > 0) {
            List<Row> twice =
                    perKey.filter(col("rows").gt(1)).orderBy("key").limit(SHOWN).collectAsList();
            throw new IllegalArgumentException(all.getLong(2) + " keys of column " + key
                    + " are there more than once: "
                    + twice.stream()
                            .map(row -> row.get(0) + " (" + row.get(1) + " rows)")
                            .collect(Collectors.joining(", "))
                    + (all.getLong(2) > SHOWN ? ", ..." : "") + ". Give every row a key of its own, or drop the"
                    + " repetitions");
        }
        return all.getLong(0);
    }
}
