package io.shadowkv.spark;

import io.shadowkv.eval.rows.RowWorker;
import io.shadowkv.eval.worker.WorkerCommand;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import org.apache.spark.TaskContext;
import org.apache.spark.api.java.function.MapPartitionsFunction;
import org.apache.spark.sql.Row;
import org.apache.spark.util.TaskCompletionListener;

/// The executor's part: answers the rows of a partition with a worker on the task's device.
///
/// A worker runs only as long as its task, and is not started for a partition without rows.
record TableTask(TableOptions options) implements MapPartitionsFunction<Row, Row> {
    private static final long serialVersionUID = 1L;

    @Override
    public Iterator<Row> call(Iterator<Row> rows) {
        TaskContext task = TaskContext.get();
        String name = "worker of task " + task.partitionId() + "." + task.attemptNumber();
        List<String> command = new ArrayList<>(options.command());
        ClusterTask.device(task, options.resource())
                .ifPresent(number -> command.addAll(List.of("--device", Integer.toString(number))));
        var start = new WorkerCommand(name, command, Duration.ofSeconds(options.readySeconds()));
        var answers = new RowAnswers(
                new RowSource(rows, options.columns().hasPaths()),
                () -> RowWorker.start(start, System.err::println, task::isInterrupted),
                options.batch());
        task.addTaskCompletionListener((TaskCompletionListener) _ -> answers.close());
        return answers;
    }
}
