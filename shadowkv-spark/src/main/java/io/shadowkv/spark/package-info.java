/// Evaluation over the machines of an Apache Spark cluster, one task slot for each device.
///
/// In: a job ([io.shadowkv.eval.worker.EvalJob]) and the log that holds what is answered already. The driver
/// ([io.shadowkv.spark.ClusterRun]) cuts what is open into tasks; each task ([io.shadowkv.spark.ClusterTask]) starts a
/// worker process on its device, asks its items and gives the answers back; the driver alone appends them to the log.
/// Called by `spark-submit`; next stop: `io.shadowkv.eval.worker`.
@NullMarked
package io.shadowkv.spark;

import org.jspecify.annotations.NullMarked;
