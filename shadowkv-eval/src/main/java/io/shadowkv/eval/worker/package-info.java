/// Examiners in processes of their own, so that each has its own device, and a crash loses only one
/// batch.
///
/// In: a command line. [io.shadowkv.eval.worker.WorkerProcess] starts it and is the
/// [io.shadowkv.eval.run.Examiner] of the run. In the process, [io.shadowkv.eval.worker.WorkerLoop]
/// passes the requests to the examiner there. The messages are JSON, one object on each line, on
/// standard input and output; standard error is for the user:
///
/// ```
/// worker: {"ready":{"protocol":2,"model":"...","backend":"cuda","kv_type":"bf16"}}
/// run:    {"ask":[{"item":{"task":"ruler/vt","index":3},"methods":[{"name":"full"},...]},...]}
/// worker: {"reading":0.25}
/// worker: {"alive":true}         every 10 s from then on, at any time
/// worker: {"answers":[...]}     lines of the log; or {"error":{"message":"...","is_mistake":true}}
/// ```
///
/// A worker that sends no message for two minutes after a request hangs: it is killed, and its
/// samples are asked again. As long as a worker sends that it is alive, the run waits for the
/// answer.
///
/// The worker ends when its input ends. Called by the command line and by the cluster's tasks; next
/// stop: [java.lang.Process].
@NullMarked
package io.shadowkv.eval.worker;

import org.jspecify.annotations.NullMarked;
