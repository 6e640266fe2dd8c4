/// Evaluation and tables of questions on the machines of an Apache Spark cluster, with one task slot
/// for each device.
///
/// Evaluation. In: a job ([io.shadowkv.eval.worker.EvalJob]) and the log with the answers so far. The driver
/// ([io.shadowkv.spark.ClusterRun]) splits the open items into tasks. Each task
/// ([io.shadowkv.spark.ClusterTask]) starts a worker process on its device, asks its items and
/// returns the answers. Only the driver appends them to the log.
///
/// Tables. In: a table with keys, documents and questions. [io.shadowkv.spark.TableAnswers] brings the
/// rows of a document together; each task ([io.shadowkv.spark.TableTask]) passes them to a worker
/// process. Out: a table of answers, which the driver ([io.shadowkv.spark.SparkAnswer]) extends by
/// the answers of each task ([io.shadowkv.spark.AnswerTable]).
///
/// Called by `spark-submit`; next stops: `io.shadowkv.eval.worker`, `io.shadowkv.eval.rows`.
@NullMarked
package io.shadowkv.spark;

import org.jspecify.annotations.NullMarked;
