package io.shadowkv.eval.niah;

import io.shadowkv.eval.EvalTask;
import io.shadowkv.eval.Suite;
import io.shadowkv.eval.TaskContext;
import java.util.List;

/// The paper's needle-in-a-haystack pressure test: 15 context lengths from 16,384 tokens to the
/// run's length and 10 depths. If the run's length is below 32,768, the lengths start at half of
/// it. Sample `i` is cell `i` of the grid, with lengths as the outer dimension, so that a run of
/// 150 samples fills the map once.
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
