package io.shadowkv.eval.scbench;

import io.shadowkv.eval.EvalTask;
import io.shadowkv.eval.Suite;
import io.shadowkv.eval.TaskContext;
import java.util.List;
import java.util.stream.Stream;

/// SCBench (microsoft/MInference, `scbench`), read from `scbench/<task>.jsonl` in the data folder, in both
/// of its modes: `scbench_kv` asks up to five questions one after the other, `scbench_kv@shared` asks each
/// by itself over the same text.
///
/// What differs from the scripts:
///
/// - One after the other, the cache keeps the model's own answers (their `--disable_golden_context`); by
///   default the scripts put the right answer in their place.
/// - All turns and answers fit into the context together; the scripts estimate.
/// - `scbench_mf` asks every later turn for its own number; in a chat the scripts name the last turn's in
///   all.
/// - Functions are compared without parsing them, see [RepoQa].
/// - Mixed tasks have two metrics, by which their turns are told apart.
public final class ScBenchSuite implements Suite {
    private static final String SHARED = "@shared";
    private static final List<String> FILES = List.of(
            "scbench_kv",
            "scbench_prefix_suffix",
            "scbench_vt",
            "scbench_repoqa",
            "scbench_qa_eng",
            "scbench_qa_chn",
            "scbench_choice_eng",
            "scbench_many_shot",
            "scbench_summary",
            "scbench_mf",
            "scbench_summary_with_needles",
            "scbench_repoqa_and_kv");
    private static final List<String> TASKS =
            FILES.stream().flatMap(file -> Stream.of(file, file + SHARED)).toList();

    @Override
    public String name() {
        return "scbench";
    }

    @Override
    public List<String> tasks() {
        return TASKS;
    }

    @Override
    public EvalTask open(String task, TaskContext context) {
        checkTask(task);
        boolean isShared = task.endsWith(SHARED);
        String file = isShared ? task.substring(0, task.length() - SHARED.length()) : task;
        return new ScBenchTask(name() + "/" + task, file, isShared, context);
    }
}
