package io.shadowkv.spark;

import io.shadowkv.eval.Item;
import io.shadowkv.eval.SampleRefusal;
import io.shadowkv.eval.run.Examiner;
import io.shadowkv.eval.run.ExaminerFailure;
import io.shadowkv.eval.run.OpenItem;
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

/// The executor's part: starts a worker, asks the items of the partition batch by batch, and ends
/// the worker.
///
/// A worker runs only as long as its task. No process remains on a machine after the task, even if
/// it fails, and a retried task starts on a free device. A retried task asks its items one by one,
/// so that its failure names the item that caused it.
///
/// @param job as JSON
/// @param batch number of items asked together
/// @param resource name of Spark's resource whose address is the device's number
record ClusterTask(String job, int batch, String resource)
        implements Function2<TaskContext, Iterator<String>, String>, Serializable {
    @Override
    public String apply(TaskContext task, Iterator<String> partition) {
        EvalJob whole = EvalJob.fromJson(job);
        List<OpenItem> open = new ArrayList<>();
        while (partition.hasNext()) {
            open.addAll(TaskJson.items(partition.next()));
        }
        int together = task.attemptNumber() == 0 ? batch : 1;
        var result = new TaskJson.Result(new ArrayList<>(), new ArrayList<>());
        try (Examiner worker = start(whole, task)) {
            Examiner.Wanted wanted = whole.plan().wanted(open);
            for (int i = 0; i < open.size(); i += together) {
                List<Item> items = open.subList(i, Math.min(i + together, open.size())).stream()
                        .map(OpenItem::item)
                        .toList();
                ask(worker, items, wanted, result);
            }
        }
        return TaskJson.ofResult(result);
    }

    private Examiner start(EvalJob whole, TaskContext task) {
        String name = "worker of task " + task.partitionId() + "." + task.attemptNumber();
        return WorkerProcess.start(
                whole.worker(name, device(task, resource)), whole.plan(), System.err::println, task::isInterrupted);
    }

    /// The device that Spark assigned to a task.
    ///
    /// @param resource name of Spark's resource whose address is the device's number
    /// @return empty if the task was not given such a resource
    static OptionalInt device(TaskContext task, String resource) {
        ResourceInformation assigned = task.resourcesJMap().get(resource);
        return assigned == null ? OptionalInt.empty() : OptionalInt.of(Integer.parseInt(assigned.addresses()[0]));
    }

    /// Asks those items that can be asked.
    private static void ask(Examiner worker, List<Item> items, Examiner.Wanted wanted, TaskJson.Result result) {
        List<Item> asked = new ArrayList<>(items);
        while (!asked.isEmpty()) {
            try {
                result.answers().addAll(worker.examine(asked, wanted, _ -> {}));
                return;
            } catch (SampleRefusal e) {
                if (!asked.remove(e.item())) {
                    throw e;
                }
                result.leftOut().add(new TaskJson.LeftOut(e.item(), String.valueOf(e.getMessage())));
            } catch (ExaminerFailure e) {
                String named = asked.stream()
                        .map(item -> "sample " + item.index() + " of " + item.task())
                        .collect(Collectors.joining(", "));
                throw new ExaminerFailure(e.getMessage() + "\nwhile answering " + named, e);
            }
        }
    }
}
