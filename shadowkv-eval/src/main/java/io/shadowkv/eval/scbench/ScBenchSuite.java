package io.shadowkv.eval.scbench;

import io.shadowkv.eval.EvalTask;
import io.shadowkv.eval.Sample;
import io.shadowkv.eval.Suite;
import io.shadowkv.eval.TaskContext;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;

/// SCBench (microsoft/MInference, `scbench`), read from `scbench/<task>.jsonl` in the data folder,
/// in all of its modes. `scbench_kv` asks up to five questions one after the other, each after the
/// right answers to the previous ones. `scbench_kv@own` keeps the model's own answers instead
/// (`--disable_golden_context`). `scbench_kv@shared` asks each question separately about the same
/// text (`--same_context_different_query`).
///
/// Differences from the scripts:
///
/// - Right answers are the assistant's turns of a conversation. In a chat the scripts render an
///   empty system message before each and remove it again if its rendering is the beginning of the
///   turn's (Llama 3.1, Qwen 2.5); with other templates it remains in their prompts.
/// - After the model's own answers (`@own`) the scripts' vLLM path adds the tokenizer's end of
///   sequence after each answer, both in a chat and in plain text. Here a chat has the template's
///   end of turn, which is the same token for Llama 3 and Qwen; plain text has the end of sequence,
///   only once if the model generated it. The scripts' Transformers path adds it only to answers
///   that were truncated.
/// - A label that is one string is one reference, see [ScBenchMetrics]; the script's score is
///   reported as a second metric.
/// - All turns and answers fit the context together; the scripts estimate this.
/// - Each later turn of `scbench_mf` asks for its own number; in a chat the scripts ask for the
///   last turn's number in all turns.
/// - Functions are compared without parsing them, see [RepoQa].
/// - Mixed tasks have two metrics, which distinguish their turns.
public final class ScBenchSuite implements Suite {
    private static final Map<String, Sample.History> MODES = Map.of(
            "", Sample.History.RIGHT_ANSWERS,
            "@own", Sample.History.CONVERSATION,
            "@shared", Sample.History.SHARED_CONTEXT);
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
    private static final List<String> TASKS = FILES.stream()
            .flatMap(file -> Stream.of(file, file + "@own", file + "@shared"))
            .toList();

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
        int at = task.indexOf('@');
        String file = at < 0 ? task : task.substring(0, at);
        Sample.History history = MODES.get(task.substring(file.length()));
        return new ScBenchTask(name() + "/" + task, file, Objects.requireNonNull(history), context);
    }
}
