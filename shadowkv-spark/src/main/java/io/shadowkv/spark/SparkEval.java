package io.shadowkv.spark;

import io.shadowkv.eval.run.AnswerLog;
import io.shadowkv.eval.run.Watcher;
import io.shadowkv.eval.worker.EvalJob;
import java.time.Duration;
import java.util.List;
import org.apache.spark.SparkConf;
import org.apache.spark.api.java.JavaSparkContext;

/// The driver program for `spark-submit`: answers a job's open items on a cluster and appends the
/// answers to a log.
///
/// ```
/// spark-submit --class io.shadowkv.spark.SparkEval --master spark://HOST:7077 --jars ... \
///   --conf spark.executor.resource.gpu.amount=8 --conf spark.task.resource.gpu.amount=1 \
///   shadowkv-spark.jar JOB.json LOG.jsonl [--batch N] [--batches-per-task N] [--resource NAME]
/// ```
///
/// A device is a Spark resource named `gpu`, or as given by `--resource`. A discovery script of the
/// Spark worker lists the devices, executors are given some of them, and every task uses one
/// (`spark.task.resource.gpu.amount=1`). So there are as many task slots as devices, and no device
/// has two evaluation workers. The device's address is passed to the evaluation worker as
/// `--device N`. Without such a resource there is no `--device` option, and Spark's cores are the
/// slots. `docs/SPARK.md` has the complete commands.
public final class SparkEval {
    private static final int USAGE = 2;

    private SparkEval() {}

    public static void main(String[] args) {
        int code = run(List.of(args));
        if (code != 0) {
            System.exit(code);
        }
    }

    static int run(List<String> args) {
        try {
            Arguments given = Arguments.parse(args);
            EvalJob job = EvalJob.read(given.job());
            var conf = new SparkConf()
                    .setIfMissing("spark.app.name", "shadowkv eval")
                    .setIfMissing("spark.log.level", "WARN");
            try (AnswerLog log = AnswerLog.open(given.log())) {
                var folder = new LogFolder(job, given.log(), note -> System.err.println("note: " + note));
                folder.check(log);
                int answers = answer(given, job, conf, log, folder);
                System.err.println(given.log() + " has all " + answers + " answers");
            }
            return 0;
        } catch (IllegalArgumentException e) {
            System.err.println("shadowkv: " + e.getMessage());
            return USAGE;
        } catch (RuntimeException e) {
            System.err.println("shadowkv: " + e.getMessage());
            return 1;
        }
    }

    private static int answer(Arguments given, EvalJob job, SparkConf conf, AnswerLog log, LogFolder folder) {
        var run = new ClusterRun(job, given.options(), SparkEval::printProgress, SparkEval::printLeftOut);
        try (var spark = new JavaSparkContext(conf)) {
            return run.run(spark, log).size();
        } finally {
            folder.leftOut(run.leftOut());
        }
    }

    private static void printLeftOut(String reason) {
        System.err.println("left out: " + reason);
    }

    private static void printProgress(Watcher.Progress progress) {
        Duration left = progress.left();
        System.err.println("answered " + progress.done() + " of " + progress.total() + " samples"
                + (left == null ? "" : ", about " + Math.ceilDiv(left.toSeconds(), 60) + " min left"));
    }
}
