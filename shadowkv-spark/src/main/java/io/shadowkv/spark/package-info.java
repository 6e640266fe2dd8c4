/// Evaluation on the machines of an Apache Spark cluster, with one task slot for each device.
///
/// In: a job ([io.shadowkv.eval.worker.EvalJob]) and the log with the answers so far. The driver
/// ([io.shadowkv.spark.ClusterRun]) splits the open items into tasks. Each task
/// ([io.shadowkv.spark.ClusterTask]) starts a worker process on its device, asks its items and
/// returns the answers. Only the driver appends them to the log. Called by `spark-submit`; next
/// stop: `io.shadowkv.eval.worker`.
@NullMarked
package io.shadowkv.spark;

import org.jspecify.annotations.NullMarked;
