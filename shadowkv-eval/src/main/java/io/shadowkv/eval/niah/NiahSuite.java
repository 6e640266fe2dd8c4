package io.shadowkv.eval.niah;

import io.shadowkv.eval.EvalTask;
import io.shadowkv.eval.Suite;
import io.shadowkv.eval.TaskContext;
import java.util.List;

/// The paper's needle-in-a-haystack pressure test: 15 context lengths from 16,384 tokens to the run's, 10
/// depths (from half the run's where that is below 32,768). Sample `i` is cell `i` of the grid, lengths
/// outermost, so that a run of 150 samples fills the map once.
///
/// Source: bytedance/ShadowKV, `data/dataset.py`.
public final class NiahSuite implements Suite {
    private static final String TASK = "pressure";

    @Override
    public String name() {
        return "niah";
    }

    @Override
    public List<String> tasks() {
        return List.of(TASK);
    }

    @Override
    public EvalTask open(String task, TaskContext context) {
        checkTask(task);
        return new PressureTask(name() + "/" + task, context);
    }
}
