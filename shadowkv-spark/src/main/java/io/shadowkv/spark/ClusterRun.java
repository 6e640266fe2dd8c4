package io.shadowkv.spark;

import io.shadowkv.eval.Item;
import io.shadowkv.eval.LeftOut;
import io.shadowkv.eval.run.AnswerCollector;
import io.shadowkv.eval.run.AnswerLog;
import io.shadowkv.eval.run.AnswerRecord;
import io.shadowkv.eval.run.EvalPlan;
import io.shadowkv.eval.run.ExaminerFailure;
import io.shadowkv.eval.run.OpenItem;
import io.shadowkv.eval.run.Watcher;
import io.shadowkv.eval.worker.EvalJob;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.apache.spark.api.java.JavaSparkContext;
import scala.reflect.ClassTag$;
import scala.runtime.BoxedUnit;

/// The driver's part: splits the open items into tasks and appends the answers of each task as it
/// finishes.
///
/// No answer is lost or counted twice: Spark retries a task whose worker or executor died, uses one
/// result for each partition even if several attempts finish, and only keys that the log does not
/// contain are appended. During a run only Spark's event thread uses the log.
public final class ClusterRun {
    private final EvalJob job;
    private final Options options;
    private final Consumer<Watcher.Progress> watcher;
    private final Consumer<String> leftOut;
    private final Map<Item, LeftOut> refused = new LinkedHashMap<>();

    /// @param batch number of items asked together
    /// @param batchesPerTask number of batches for one worker. A larger number pays for fewer
    ///     starts of workers, but all batches of a task are asked again if its worker dies
    /// @param resource name of Spark's resource whose address is the device's number
    public record Options(int batch, int batchesPerTask, String resource) {
        public Options {
            if (batch < 1 || batchesPerTask < 1) {
                throw new IllegalArgumentException(
                        "batch and batches per task must be at least 1; they are " + batch + " and " + batchesPerTask);
            }
        }
    }

    /// @param watcher called with the progress when the answers of a task are in the log
    /// @param leftOut called with the reason for each sample that cannot be asked
    public ClusterRun(EvalJob job, Options options, Consumer<Watcher.Progress> watcher, Consumer<String> leftOut) {
        this.job = job;
        this.options = options;
        this.watcher = watcher;
        this.leftOut = leftOut;
    }

    /// Asks the open items. Samples that cannot be asked are left out.
    ///
    /// @return all answers to the job's items, see [EvalPlan#answers]
    /// @throws ExaminerFailure if Spark gave up on a task; earlier answers are in the log
    public List<AnswerRecord> run(JavaSparkContext spark, AnswerLog log) {
        EvalPlan plan = job.plan();
        List<Item> items = job.items().stream().distinct().toList();
        List<OpenItem> open = plan.open(items, log.answers());
        if (!open.isEmpty()) {
            ask(spark, open, new AnswerCollector(log, items.size(), open.size()));
        }
        List<OpenItem> askable =
                open.stream().filter(item -> !refused.containsKey(item.item())).toList();
        plan.checkAnswered(askable, List.copyOf(log.answers()));
        return plan.answers(items, log.answers());
    }

    /// The samples that [#run] could not ask and left out.
    public List<LeftOut> leftOut() {
        return List.copyOf(refused.values());
    }

    private void ask(JavaSparkContext spark, List<OpenItem> open, AnswerCollector collector) {
        int size = Math.multiplyExact(options.batch(), options.batchesPerTask());
        List<String> partitions = new ArrayList<>();
        for (int i = 0; i < open.size(); i += size) {
            partitions.add(TaskJson.ofItems(open.subList(i, Math.min(i + size, open.size()))));
        }
        try {
            spark.sc()
                    .runJob(
                            spark.parallelize(partitions, partitions.size()).rdd(),
                            new ClusterTask(withoutItems().toJson(), options.batch(), options.resource()),
                            (partition, result) -> {
                                append(TaskJson.result(result), collector);
                                return BoxedUnit.UNIT;
                            },
                            ClassTag$.MODULE$.apply(String.class));
        } catch (Exception e) {
            throw new ExaminerFailure("Spark gave up: " + SparkFailure.message(e), e);
        }
    }

    private void append(TaskJson.Result result, AnswerCollector collector) {
        for (TaskJson.LeftOut one : result.leftOut()) {
            Item item = one.item();
            refused.put(item, new LeftOut(item.task(), job.plan().contextTokens(), item.index(), one.reason()));
            leftOut.accept(one.reason());
        }
        watcher.accept(collector.append(result.answers()).progress());
    }

    /// The job without its items: each task gets the items of its partition only.
    private EvalJob withoutItems() {
        return new EvalJob(job.plan(), List.of(), job.command(), job.readySeconds());
    }
}
