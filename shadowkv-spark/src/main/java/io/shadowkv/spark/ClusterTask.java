package io.shadowkv.spark;

import io.shadowkv.eval.AnswerRecord;
import io.shadowkv.eval.Examiner;
import io.shadowkv.eval.ExaminerFailure;
import io.shadowkv.eval.Item;
import io.shadowkv.eval.OpenItem;
import io.shadowkv.eval.worker.EvalJob;
import io.shadowkv.eval.worker.WorkerProcess;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.stream.Collectors;
import org.apache.spark.TaskContext;
import org.apache.spark.resource.ResourceInformation;
import scala.Function2;
import scala.collection.Iterator;

/// What an executor does: starts a worker, asks the items of the partition batch by batch, ends the worker.
///
/// A worker lives as long as its task: nothing is left on a machine when a task ends, however it ends, and a task that
/// is tried again has a fresh device. Items of a task that is tried again are asked one by one, so that the one over
/// which it fails is named.
///
/// @param job as JSON
/// @param batch items asked together
/// @param resource name of Spark's resource whose address is the device's number
record ClusterTask(String job, int batch, String resource)
        implements Function2<TaskContext, Iterator<String>, String>, Serializable {
    @Override
    public String apply(TaskContext task, Iterator<String> partition) {
        EvalJob whole = EvalJob.fromJson(job);
        List<OpenItem> open = new ArrayList<>();
        while (partition.hasNext()) {
            open.addAll(Cargo.items(partition.next()));
        }
        int together = task.attemptNumber() == 0 ? batch : 1;
        List<AnswerRecord> answers = new ArrayList<>();
        try (Examiner worker = start(whole, task)) {
            Examiner.Wanted wanted = whole.plan().wanted(open);
            for (int i = 0; i < open.size(); i += together) {
                List<Item> items = open.subList(i, Math.min(i + together, open.size())).stream()
                        .map(OpenItem::item)
                        .toList();
                answers.addAll(ask(worker, items, wanted));
            }
        }
        return Cargo.ofAnswers(answers);
    }

    private Examiner start(EvalJob whole, TaskContext task) {
        String name = "worker of task " + task.partitionId() + "." + task.attemptNumber();
        return WorkerProcess.start(
                whole.worker(name, device(task)), whole.plan(), System.err::println, task::isInterrupted);
    }

    private static List<AnswerRecord> ask(Examiner worker, List<Item> items, Examiner.Wanted wanted) {
        try {
            return worker.examine(items, wanted, _ -> {});
        } catch (ExaminerFailure e) {
            String asked = items.stream()
                    .map(item -> "sample " + item.index() + " of " + item.task())
                    .collect(Collectors.joining(", "));
            throw new ExaminerFailure(e.getMessage() + "\nwhen asked " + asked, e);
        }
    }

    private OptionalInt device(TaskContext task) {
        ResourceInformation assigned = task.resourcesJMap().get(resource);
        return assigned == null ? OptionalInt.empty() : OptionalInt.of(Integer.parseInt(assigned.addresses()[0]));
    }
}
