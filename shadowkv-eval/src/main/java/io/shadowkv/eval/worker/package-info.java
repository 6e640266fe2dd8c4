/// Examiners in processes of their own, so that each has a device, and a crash costs one batch.
///
/// In: a command line. [io.shadowkv.eval.worker.WorkerProcess] starts it and is the
/// [io.shadowkv.eval.run.Examiner] that a run uses; in the process, [io.shadowkv.eval.worker.WorkerLoop] hands
/// what is asked to the examiner there. They speak JSON, one object a line, on standard input and output;
/// standard error is for people:
///
/// ```
/// worker: {"ready":{"protocol":2,"model":"...","backend":"cuda","kv_type":"bf16"}}
/// run:    {"ask":[{"item":{"task":"ruler/vt","index":3},"methods":[{"name":"full"},...]},...]}
/// worker: {"reading":0.25}
/// worker: {"alive":true}         every 10 s from then on, whatever else it does
/// worker: {"answers":[...]}     lines of the log; or {"error":{"message":"...","is_mistake":true}}
/// ```
///
/// A worker that is asked and says nothing for two minutes hangs: it is killed, and its samples are
/// asked again. One that says it is alive is waited for, however long a sample takes.
///
/// The worker ends when its input does. Called by the command line and by the cluster's tasks; next stop:
/// [java.lang.Process].
@NullMarked
package io.shadowkv.eval.worker;

import org.jspecify.annotations.NullMarked;
