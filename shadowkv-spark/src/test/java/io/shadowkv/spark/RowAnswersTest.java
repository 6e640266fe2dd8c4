package io.shadowkv.spark;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shadowkv.eval.rows.RowWorker;
import io.shadowkv.eval.run.ExaminerFailure;
import io.shadowkv.eval.worker.WorkerCommand;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.stream.IntStream;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.junit.jupiter.api.Test;

/// Rows whose workers die.
class RowAnswersTest {
    private int starts;

    /// Workers that run a shell script after they are ready.
    private RowAnswers answers(int rows, int batch, String script) {
        Iterator<Row> table = IntStream.range(0, rows)
                .mapToObj(row -> RowFactory.create("key " + row, "text", "question " + row, null))
                .iterator();
        List<String> command = List.of("sh", "-c", "echo '{\"ready\":1}'; " + script);
        var start = new WorkerCommand("worker", command, Duration.ofSeconds(30));
        return new RowAnswers(
                new RowSource(table, false),
                () -> {
                    starts++;
                    return RowWorker.start(start, _ -> {}, () -> false);
                },
                batch);
    }

    @Test
    void aMachineOnWhichEveryWorkerDiesFailsTheTask() {
        RowAnswers answers = answers(9, 8, "read row; exit 9");
        assertThatThrownBy(() -> answers.forEachRemaining(_ -> {}))
                .isInstanceOf(ExaminerFailure.class)
                .hasMessageStartingWith("5 workers died one after the other on this machine; the last one: worker")
                .hasMessageContaining("ended with exit code 9");
        assertThat(starts).isEqualTo(5);
    }

    /// Each worker answers one row and dies over the next one: no row is to blame.
    @Test
    void rowsOfWorkersThatDieAreAskedAgain() {
        RowAnswers answers = answers(
                4,
                4,
                "read row; key=${row#*:}; key=${key%%,*};"
                        + " echo \"{\\\"key\\\":$key,\\\"answer\\\":\\\"a\\\",\\\"finish\\\":\\\"stop\\\"}\"; exit 9");
        List<String> keys = new ArrayList<>();
        answers.forEachRemaining(row -> {
            assertThat(row.getString(2)).isNull();
            keys.add(row.getString(0));
        });
        assertThat(keys).containsExactlyInAnyOrder("key 0", "key 1", "key 2", "key 3");
    }

    @Test
    void noWorkerIsStartedForNoRows() {
        assertThat(answers(0, 4, "").hasNext()).isFalse();
        assertThat(starts).isZero();
    }
}
