package io.shadowkv.spark;

import static org.apache.spark.sql.functions.broadcast;
import static org.apache.spark.sql.functions.coalesce;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.count;
import static org.apache.spark.sql.functions.length;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.max;
import static org.apache.spark.sql.functions.sha2;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;

/// Answers the questions of a table on a Spark cluster.
///
/// ```
/// var answers = new TableAnswers(TableOptions.of(List.of("/shared/shadowkv/shadowkv", "answer", "ORG/NAME",
/// "--worker")));
/// Dataset<Row> answered = answers.answer(questions);
/// ```
///
/// All rows of a document are in one task, one after the other, so that its worker reads the document
/// once. Documents are shuffled once; those that the table names by their paths are not shuffled at
/// all. The longest documents begin first, and tasks get about as much text each.
public final class TableAnswers {
    private static final String DOCUMENT_ID = "document_id";
    private static final String TASK = "task";

    private final TableOptions options;

    public TableAnswers(TableOptions options) {
        this.options = options;
    }

    /// The answers to a table, one row for each of its rows:
    ///
    /// ```
    /// key (as in the table), answer, error, finish, prompt_tokens, cached_tokens, new_tokens
    /// ```
    ///
    /// `answer` or `error` is null. Keys and documents are looked at immediately; questions are asked
    /// when the result is used, and again whenever it is used again: write it, or use `persist`. What
    /// is lost when the application ends must be asked again; [SparkAnswer] keeps it.
    ///
    /// @throws IllegalArgumentException if a column is missing, or a key is null or not unique
    public Dataset<Row> answer(Dataset<Row> table) {
        DataType keyType = options.columns().check(table.schema());
        TableKeys.check(table, options.columns().key());
        return answerChecked(table, keyType);
    }

    /// The type of a table of answers.
    static StructType schema(DataType keyType) {
        return new StructType()
                .add(RowColumns.KEY, keyType, false)
                .add("answer", DataTypes.StringType)
                .add("error", DataTypes.StringType)
                .add("finish", DataTypes.StringType)
                .add("prompt_tokens", DataTypes.IntegerType)
                .add("cached_tokens", DataTypes.IntegerType)
                .add("new_tokens", DataTypes.IntegerType);
    }

    /// Like [#answer] for a table whose columns and keys were checked.
    Dataset<Row> answerChecked(Dataset<Row> table, DataType keyType) {
        Dataset<Row> rows = options.columns()
                .select(table)
                .withColumn(DOCUMENT_ID, sha2(coalesce(col(RowColumns.DOCUMENT), lit("")), 256));
        List<Row> documents = rows.groupBy(DOCUMENT_ID)
                .agg(
                        count(lit(1)).as("questions"),
                        max(length(col(RowColumns.DOCUMENT))).as("characters"))
                .collectAsList();
        int slots = table.sparkSession().sparkContext().defaultParallelism();
        int tasks = Math.max(
                1,
                Math.min(
                        documents.size(), Math.max(slots, Math.ceilDiv(documents.size(), options.documentsPerTask()))));
        Dataset<Row> plan = table.sparkSession()
                .createDataFrame(
                        plan(documents, tasks),
                        new StructType().add(DOCUMENT_ID, DataTypes.StringType).add(TASK, DataTypes.IntegerType));
        return rows.join(broadcast(plan), DOCUMENT_ID)
                .repartitionById(tasks, col(TASK))
                .sortWithinPartitions(DOCUMENT_ID)
                .select(RowColumns.KEY, RowColumns.DOCUMENT, RowColumns.QUESTION, RowColumns.OPTIONS)
                .mapPartitions(new TableTask(options), Encoders.row(schema(keyType)));
    }

    /// Assigns each document to the task that has least to do, the largest documents first.
    private List<Row> plan(List<Row> documents, int tasks) {
        long[] load = new long[tasks];
        List<Row> sorted = new ArrayList<>(documents);
        sorted.sort(Comparator.comparingLong(this::size).reversed().thenComparing(row -> row.getString(0)));
        List<Row> plan = new ArrayList<>();
        for (Row document : sorted) {
            int task = 0;
            for (int other = 1; other < tasks; other++) {
                task = load[other] < load[task] ? other : task;
            }
            load[task] += size(document);
            plan.add(RowFactory.create(document.getString(0), task));
        }
        return plan;
    }

    /// The work of a document: its characters if they are known, otherwise its questions.
    private long size(Row document) {
        return options.columns().hasPaths() || document.isNullAt(2) ? document.getLong(1) : document.getInt(2);
    }
}
