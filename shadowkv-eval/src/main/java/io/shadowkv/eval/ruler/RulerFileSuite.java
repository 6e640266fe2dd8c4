package io.shadowkv.eval.ruler;

import io.shadowkv.eval.EvalTask;
import io.shadowkv.eval.Suite;
import io.shadowkv.eval.TaskContext;
import io.shadowkv.eval.ruler.text.RulerKind;
import java.util.List;

/// RULER's tasks from files that NVIDIA's scripts, the paper's or `shadowkv ruler build` wrote:
/// `<task>/validation.jsonl` in one folder. Their texts include the chat template that they were
/// made with.
public final class RulerFileSuite implements Suite {
    static final String NAME = "ruler-file";

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public List<String> tasks() {
        return RulerKind.ALL.stream().map(RulerKind::name).toList();
    }

    @Override
    public EvalTask open(String task, TaskContext context) {
        return RulerFile.open(context.options().rulerFiles().resolve(task).resolve("validation.jsonl"), task);
    }
}
