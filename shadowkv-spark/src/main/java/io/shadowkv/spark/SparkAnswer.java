package io.shadowkv.spark;

import io.shadowkv.eval.Json;
import io.shadowkv.eval.run.ExaminerFailure;
import java.util.ArrayList;
import java.util.List;
import org.apache.spark.SparkConf;
import org.apache.spark.SparkContext;
import org.apache.spark.TaskContext;
import org.apache.spark.rdd.RDD;
import org.apache.spark.sql.AnalysisException;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.DataType;
import scala.Function2;
import scala.collection.Iterator;
import scala.reflect.ClassTag$;
import scala.runtime.BoxedUnit;
import tools.jackson.databind.node.ObjectNode;

/// The driver program for `spark-submit` that answers a table of questions:
///
/// ```
/// spark-submit --class io.shadowkv.spark.SparkAnswer --master spark://HOST:7077 --jars ... \
///   shadowkv-spark.jar --input questions.parquet --format parquet --output answers --model ORG/NAME \
///   --launcher /shared/shadowkv/shadowkv -- --backend cuda
/// ```
///
/// The output grows by a file when a task has ended. Rows that it has are not asked again, so the
/// same command resumes after an interruption. Of several attempts at a task Spark passes one result
/// to the driver, which alone writes, so no row is there twice. `docs/SPARK.md` has the complete
/// commands.
public final class SparkAnswer {
    private static final int GAVE_UP = 1;
    private static final int USAGE = 2;
    /// All rows are in the output, and some have an error.
    private static final int ERRORS = 3;

    private final TableArguments given;
    private final SparkSession spark;

    SparkAnswer(TableArguments given, SparkSession spark) {
        this.given = given;
        this.spark = spark;
    }

    public static void main(String[] args) {
        int code = run(List.of(args));
        if (code != 0) {
            System.exit(code);
        }
    }

    static int run(List<String> args) {
        try {
            TableArguments given = TableArguments.parse(args);
            var conf = new SparkConf()
                    .setIfMissing("spark.app.name", "shadowkv answer")
                    .setIfMissing("spark.log.level", "WARN")
                    // Spark counts what all tasks returned; the driver keeps the answers of one at a time.
                    .setIfMissing("spark.driver.maxResultSize", "0");
            SparkSession spark = SparkSession.builder().config(conf).getOrCreate();
            try {
                return new SparkAnswer(given, spark).answer();
            } finally {
                spark.stop();
            }
        } catch (IllegalArgumentException e) {
            System.err.println("shadowkv: " + e.getMessage());
            return USAGE;
        } catch (RuntimeException e) {
            System.err.println("shadowkv: " + e.getMessage());
            return GAVE_UP;
        }
    }

    int answer() {
        Dataset<Row> table = table();
        RowColumns columns = given.options().columns();
        DataType keyType = columns.check(table.schema());
        var output = new AnswerTable(spark, given.output(), given.outputFormat(), TableAnswers.schema(keyType));
        long total = TableKeys.check(table, columns.key());
        output.open(settings());
        Dataset<Row> open = output.open(table, columns.key());
        long wanted = open.count();
        if (wanted < total) {
            System.err.printf("%,d of %,d rows are answered already%n", total - wanted, total);
        }
        if (wanted > 0) {
            ask(new TableAnswers(given.options()).answerChecked(open, keyType), output, wanted);
        }
        return check(output, total);
    }

    private Dataset<Row> table() {
        try {
            return spark.read().format(given.format().sparkName()).load(given.input());
        } catch (Exception e) {
            if (e instanceof AnalysisException) {
                throw new IllegalArgumentException(
                        "the input " + given.input() + " cannot be read as "
                                + given.format().sparkName() + ": " + SparkFailure.message(e),
                        e);
            }
            throw e;
        }
    }

    /// What decides about the answers.
    private ObjectNode settings() {
        RowColumns columns = given.options().columns();
        ObjectNode settings = Json.SNAKE_CASE.createObjectNode();
        settings.put("model", given.model());
        settings.put("options", String.join(" ", given.engine()));
        settings.put("input", given.input());
        settings.put("output_format", given.outputFormat().sparkName());
        settings.put("key_column", columns.key());
        settings.put("document_column", columns.document());
        settings.put("document_path_column", columns.path());
        settings.put("question_column", columns.question());
        settings.put("options_column", columns.options());
        return settings;
    }

    /// Runs the tasks and adds the answers of each as it ends. Spark passes one result of each task,
    /// on its own thread.
    private void ask(Dataset<Row> answers, AnswerTable output, long wanted) {
        var progress = new TableProgress(wanted);
        RDD<Row> tasks = answers.javaRDD().rdd();
        SparkContext context = spark.sparkContext();
        try {
            context.runJob(
                    tasks,
                    new Collect(),
                    (_, rows) -> {
                        output.add(rows);
                        progress.add(rows);
                        return BoxedUnit.UNIT;
                    },
                    ClassTag$.MODULE$.apply(ArrayList.class));
        } catch (Exception e) {
            throw new ExaminerFailure(
                    "Spark gave up: " + SparkFailure.message(e) + "\nThe answers so far are in " + given.output()
                            + "; the same command continues",
                    e);
        }
    }

    /// The rows of a partition, for the driver.
    private record Collect() implements Function2<TaskContext, Iterator<Row>, ArrayList<Row>>, java.io.Serializable {
        private static final long serialVersionUID = 1L;

        @Override
        public ArrayList<Row> apply(TaskContext task, Iterator<Row> rows) {
            var all = new ArrayList<Row>();
            while (rows.hasNext()) {
                all.add(rows.next());
            }
            return all;
        }
    }

    /// Counts what is in the output, and marks it as complete.
    private int check(AnswerTable output, long total) {
        Row counts = output.rows()
                .selectExpr("count(*)", "count(distinct key)", "count(error)")
                .first();
        if (counts.getLong(0) != counts.getLong(1)) {
            throw new IllegalStateException(
                    "the output " + given.output() + " has " + counts.getLong(0) + " rows for " + counts.getLong(1)
                            + " keys. Two runs wrote to it at the same time; give each an output of its own");
        }
        if (counts.getLong(0) != total) {
            throw new IllegalStateException("the output " + given.output() + " has " + counts.getLong(0)
                    + " rows and the input has " + total + ". The input was changed since the first run; give another"
                    + " output, or restore it");
        }
        output.complete();
        long errors = counts.getLong(2);
        System.err.printf(
                "%s has all %,d rows: %,d answers, %,d errors (column error says why)%n",
                given.output(), total, total - errors, errors);
        return errors == 0 ? 0 : ERRORS;
    }
}
