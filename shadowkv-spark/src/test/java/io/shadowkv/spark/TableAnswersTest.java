package io.shadowkv.spark;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shadowkv.eval.rows.FakeRowWorkerMain;
import io.shadowkv.eval.rows.FakeRowWorkerMain.Fault;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A table in, a table out, with two task slots in this process and real worker processes.
final class TableAnswersTest {
    private static SparkSession spark;

    @TempDir
    Path folder;

    @BeforeAll
    static void startSpark() {
        spark = SparkSession.builder()
                .master("local[2,2]")
                .config("spark.ui.enabled", "false")
                .config("spark.driver.host", "127.0.0.1")
                .config("spark.driver.bindAddress", "127.0.0.1")
                .config("spark.sql.shuffle.partitions", "2")
                .config("spark.sql.codegen.wholeStage", "false")
                .config("spark.sql.codegen.factoryMode", "NO_CODEGEN")
                .config("spark.log.level", "WARN")
                .getOrCreate();
    }

    @AfterAll
    static void stopSpark() {
        spark.stop();
    }

    /// What the driver program returned and printed.
    private record Run(int code, String said) {}

    private Run run(String... more) throws IOException {
        return run(Fault.NONE, "", 0, more);
    }

    private Run run(Fault fault, String culprit, int times, String... more) throws IOException {
        List<String> args = new ArrayList<>(List.of("--format", "json", "--model", "fake", "--launcher"));
        args.add(TableQuestions.launcher(folder, fault, culprit, times).toString());
        args.addAll(List.of("--output", folder.resolve("out").toString(), "--documents-per-task", "2"));
        if (!List.of(more).contains("--input")) {
            args.addAll(List.of(
                    "--input", TableQuestions.json(folder.resolve("rows.json")).toString()));
        }
        args.addAll(List.of(more));
        PrintStream err = System.err;
        var said = new ByteArrayOutputStream();
        System.setErr(new PrintStream(said, true, StandardCharsets.UTF_8));
        try {
            return new Run(new SparkAnswer(TableArguments.parse(args), spark).answer(), text(said));
        } catch (IllegalArgumentException e) {
            return new Run(2, text(said) + e.getMessage());
        } catch (RuntimeException e) {
            return new Run(1, text(said) + e.getMessage());
        } finally {
            System.setErr(err);
        }
    }

    private static String text(ByteArrayOutputStream said) {
        return said.toString(StandardCharsets.UTF_8);
    }

    private List<String> reads() throws IOException {
        return Files.readAllLines(folder.resolve("reads"));
    }

    @Test
    void everyRowHasOneAnswerAndEveryDocumentIsReadOnce() throws IOException {
        Run run = run();
        assertThat(run.code()).as(run.said()).isZero();
        assertThat(run.said()).contains("answered 24 of 24 rows", "has all 24 rows: 24 answers, 0 errors");
        assertThat(TableQuestions.answers(folder.resolve("out"))).isEqualTo(TableQuestions.expected());
        assertThat(reads()).hasSize(TableQuestions.DOCUMENTS);
        // Six documents, two for each task, and a file for each task.
        assertThat(TableQuestions.files(folder.resolve("out"))).hasSize(3);
        assertThat(folder.resolve("out/_SUCCESS")).exists();
        Run again = run();
        assertThat(again.code()).isZero();
        assertThat(again.said()).contains("24 of 24 rows are answered already");
        assertThat(reads()).as("nothing is asked again").hasSize(TableQuestions.DOCUMENTS);
    }

    @Test
    void aWorkerThatIsKilledLosesNothingAndDoublesNothing() throws IOException {
        Thread.ofPlatform().daemon().start(() -> FaultyJob.await(folder).destroyForcibly());
        Run run = run(Fault.WAIT, TableQuestions.question(7), 1);
        assertThat(run.code()).as(run.said()).isZero();
        assertThat(folder.resolve("trouble-0")).as("a worker was killed").exists();
        assertThat(TableQuestions.answers(folder.resolve("out"))).isEqualTo(TableQuestions.expected());
    }

    @Test
    void aRowThatEndsEveryWorkerAndOneThatIsRefusedHaveTheirReasons() throws IOException {
        Run run = run(Fault.HALT, TableQuestions.question(7), 99);
        assertThat(run.code()).as(run.said()).isEqualTo(3);
        assertThat(run.said()).contains("23 answers, 1 errors (column error says why)");
        Map<Long, String> answers = TableQuestions.answers(folder.resolve("out"));
        assertThat(answers.remove(7L))
                .contains("two workers died while answering this row", "ended with exit code 137");
        Map<Long, String> others = TableQuestions.expected();
        others.remove(7L);
        assertThat(answers).isEqualTo(others);
    }

    /// What was answered before Spark gave up is kept, and the next run asks the rest.
    @Test
    void aRunThatFailedIsContinued() throws IOException {
        Run failed = run(Fault.NO_START, "", 0);
        assertThat(failed.code()).isEqualTo(1);
        assertThat(failed.said())
                .contains("Spark gave up", "ended with exit code 3", "the device has no memory left")
                .contains("the same command continues")
                .doesNotContain("\tat ");
        assertThat(run().code()).isZero();
        List<Path> files = TableQuestions.files(folder.resolve("out"));
        Files.delete(files.getFirst());
        Files.delete(folder.resolve("reads"));
        Run run = run();
        assertThat(run.said()).containsPattern("(8|12|16) of 24 rows are answered already");
        assertThat(TableQuestions.answers(folder.resolve("out"))).isEqualTo(TableQuestions.expected());
        assertThat(reads()).as("documents of the missing file").hasSize(2);
    }

    @Test
    void answersOfOtherSettingsAreNotContinued() throws IOException {
        assertThat(run("--", "--budget", "1024").code()).isZero();
        assertThat(run("--", "--budget", "64"))
                .isEqualTo(new Run(
                        2,
                        "the answers in " + folder.resolve("out") + " were made with other settings: options was"
                                + " \"--budget 1024\", is \"--budget 64\". Give another output, or the same settings"));
        Files.delete(folder.resolve("out/_run.json"));
        assertThat(run().said()).contains("has files, but not _run.json, so it is not a table of answers");
    }

    @Test
    void wrongTablesAreRefusedBeforeAnythingIsAsked() throws IOException {
        assertThat(run("--question-column", "ask"))
                .isEqualTo(new Run(
                        2,
                        "the table has no column ask; it has document, key, question. Name the column with"
                                + " --question-column"));
        assertThat(run("--key-column", "document").said())
                .contains("6 keys of column document are there more than once: ", " (4 rows)");
        assertThat(run("--input", folder.resolve("none").toString()).said())
                .startsWith("the input " + folder.resolve("none") + " cannot be read as json: ")
                .contains("PATH_NOT_FOUND");
        Path rows = folder.resolve("other.json");
        Files.writeString(rows, "{\"key\": 1, \"document\": \"a\", \"question\": \"b\"}\nnot json\n");
        assertThat(run("--input", rows.toString()).said())
                .isEqualTo("1 of 2 rows have no key in column key; some lines are not JSON objects. Write one object"
                        + " on each line");
        Files.writeString(rows, "{\"key\": 1.5, \"document\": \"a\", \"question\": \"b\"}\n");
        assertThat(run("--input", rows.toString()).said())
                .startsWith("the key column key is of type double; expected a text or a whole number");
        assertThat(folder.resolve("out")).doesNotExist();
        assertThat(folder.resolve("reads")).doesNotExist();
    }

    /// Documents in files, options as a struct, keys as texts, Parquet in and out.
    @Test
    void documentsInFilesAreReadByTheTask() throws IOException {
        Path text = Files.writeString(folder.resolve("a text"), "é".repeat(50));
        Path bytes = Files.write(folder.resolve("bytes"), new byte[] {(byte) 0xff, 1});
        String none = folder.resolve("none").toString();
        StructType schema = new StructType()
                .add("id", DataTypes.StringType)
                .add("file", DataTypes.StringType)
                .add("ask", DataTypes.StringType);
        Dataset<Row> table = spark.createDataFrame(
                List.of(
                        RowFactory.create("a", "file://" + text, "q1"),
                        RowFactory.create("b", none, "q2"),
                        RowFactory.create("c", bytes.toString(), "q3"),
                        RowFactory.create("d", "file://" + text, null),
                        RowFactory.create("e", null, "q5"),
                        RowFactory.create("f", "file://" + text, "q6")),
                schema);
        Path input = folder.resolve("table.parquet");
        table.write().parquet(input.toString());
        Run run = run(
                "--input",
                input.toString(),
                "--format",
                "parquet",
                "--key-column",
                "id",
                "--question-column",
                "ask",
                "--document-path-column",
                "file");
        assertThat(run.code()).as(run.said()).isEqualTo(2);
        assertThat(run.said()).contains("--format is given twice");
        var options = TableOptions.of(FakeRowWorkerMain.command(folder, Fault.NONE, "", 0))
                .withColumns(new RowColumns("id", null, "file", "ask", null));
        Map<String, String> answers = new TreeMap<>();
        for (Row row : new TableAnswers(options)
                .answer(spark.read().parquet(input.toString()))
                .collectAsList()) {
            answers.put(row.getString(0), row.isNullAt(2) ? row.getString(1) : row.getString(2));
        }
        assertThat(answers).hasSize(6).containsEntry("a", "q1:50").containsEntry("f", "q6:50");
        assertThat(answers.get("b")).startsWith("the document " + none + " was not found on the machine of the task");
        assertThat(answers.get("c")).isEqualTo("the document " + bytes + " is not UTF-8 text; convert it first");
        assertThat(answers.get("d")).isEqualTo("the row has no question; its column is null");
        assertThat(answers.get("e")).isEqualTo("the row has no document; its column is null");
        assertThat(reads()).hasSize(1);
    }

    @Test
    void parquetIsWrittenWithTheTypeOfTheKey() throws IOException {
        Path input = folder.resolve("rows");
        spark.sql("select cast(7 as smallint) key, 'd' document, 'é' question, map('max_tokens', 3) opts")
                .write()
                .parquet(input.toString());
        Path output = folder.resolve("out");
        var args = TableArguments.parse(List.of(
                "--format",
                "parquet",
                "--model",
                "fake",
                "--input",
                input.toString(),
                "--output",
                output.toString(),
                "--options-column",
                "opts",
                "--launcher",
                TableQuestions.launcher(folder, Fault.NONE, "", 0).toString()));
        assertThat(new SparkAnswer(args, spark).answer()).isZero();
        Dataset<Row> written = spark.read().parquet(output.toString());
        assertThat(written.schema().apply("key").dataType()).isEqualTo(DataTypes.ShortType);
        assertThat(written.collectAsList()).containsExactly(RowFactory.create((short) 7, "é:1", null, "stop", 1, 0, 3));
        assertThat(Files.readString(folder.resolve("options"))).isEqualTo("{\"max_tokens\":3}\n");
    }

    @Test
    void everyFormatKeepsTheKey() throws IOException {
        Map<DataType, Object> keys = Map.of(
                DataTypes.ByteType,
                (byte) -3,
                DataTypes.ShortType,
                (short) 300,
                DataTypes.IntegerType,
                70_000,
                DataTypes.LongType,
                1L << 40,
                DataTypes.StringType,
                "a \"key\"\n");
        for (TableFormat format : TableFormat.values()) {
            for (Map.Entry<DataType, Object> key : keys.entrySet()) {
                var schema = TableAnswers.schema(key.getKey());
                Row row = RowFactory.create(key.getValue(), null, "why", null, null, null, null);
                String file = folder.resolve(key.getKey().typeName() + format.ending())
                        .toString();
                format.write(
                        List.of(row),
                        schema,
                        new org.apache.hadoop.fs.Path(file),
                        spark.sparkContext().hadoopConfiguration());
                assertThat(spark.read()
                                .schema(schema)
                                .format(format.sparkName())
                                .load(file)
                                .first())
                        .isEqualTo(row);
            }
        }
    }

    /// The plan moves documents once: one exchange has the column, the others only keys and counts.
    @Test
    void documentsAreShuffledOnce() throws IOException {
        var options = TableOptions.of(FakeRowWorkerMain.command(folder, Fault.NONE, "", 0));
        Dataset<Row> table = spark.read()
                .json(TableQuestions.json(folder.resolve("rows.json")).toString());
        var output = new AnswerTable(
                spark, folder.resolve("out").toString(), TableFormat.JSON, TableAnswers.schema(DataTypes.LongType));
        Files.createDirectories(folder.resolve("out"));
        String plan = new TableAnswers(options)
                .answerChecked(output.open(table, "key"), DataTypes.LongType)
                .queryExecution()
                .executedPlan()
                .toString();
        assertThat(Stream.of(plan.split("\n")).filter(line -> line.contains(" Exchange ")))
                .as(plan)
                .hasSize(1);
    }

    @Test
    void argumentsAreChecked() {
        assertThatThrownBy(() -> TableArguments.parse(List.of())).hasMessageStartingWith("usage: SparkAnswer");
        assertThatThrownBy(() -> TableArguments.parse(List.of("--bach", "2"))).hasMessageContaining("no option --bach");
        List<String> needed = List.of("--input", "i", "--output", "o", "--model", "m", "--format", "json");
        TableArguments given = TableArguments.parse(
                Stream.concat(needed.stream(), Stream.of("--batch", "4", "--", "--backend", "cuda"))
                        .toList());
        assertThat(given.options().command())
                .containsExactly(
                        Path.of("shadowkv").toAbsolutePath().toString(),
                        "answer",
                        "m",
                        "--worker",
                        "--batch",
                        "4",
                        "--backend",
                        "cuda");
        assertThat(given.options().batch()).isEqualTo(8);
        for (List<String> wrong : List.of(
                List.of("--batch", "0"),
                List.of("--batch", "x"),
                List.of("--output-format", "csv"),
                List.of("--ready-seconds"),
                List.of("--document-column", "a", "--document-path-column", "b"))) {
            assertThatThrownBy(() -> TableArguments.parse(
                            Stream.concat(needed.stream(), wrong.stream()).toList()))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining(wrong.getFirst().equals("--output-format") ? "csv" : wrong.getFirst());
        }
        assertThatThrownBy(() -> TableArguments.parse(needed.subList(2, 8)))
                .hasMessageStartingWith("--input is missing");
    }
}
