package io.shadowkv.cli.eval;

import io.shadowkv.eval.EvalTask;
import io.shadowkv.eval.run.EvalPlan;
import io.shadowkv.eval.run.Examiner;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Supplier;

/// The examiners that answer in a run: an engine of this process, or worker processes.
interface Examiners extends AutoCloseable {
    /// Name of the backend that computes.
    String backend();

    /// One supplier for each examiner that answers at the same time.
    ///
    /// @param tasks the tasks of the plan, by name
    /// @param errors receives what workers print on standard error; any thread may call it
    List<Supplier<Examiner>> seats(EvalPlan plan, Map<String, EvalTask> tasks, Consumer<String> errors);

    @Override
    void close();
}
