package io.shadowkv.eval.infinitebench;

import io.shadowkv.eval.EvalTask;
import io.shadowkv.eval.Suite;
import io.shadowkv.eval.TaskContext;
import java.util.List;

/// InfiniteBench (OpenBMB/InfiniteBench), read from `infinitebench/<task>.jsonl` in the data folder.
///
/// Models with a chat template get the prompts that its scripts give to GPT-4, in that template;
/// all others those for YaRN-Mistral, to be continued as they are, which its scripts give to every
/// open model: the published numbers of open models are of the second kind, whatever the model's
/// template. With the paper's prompts ([io.shadowkv.eval.PromptVersion#SHADOWKV]) both are asked
/// alike, in a chat inside the template. What is too long loses tokens in the middle. What differs
/// from the scripts:
///
/// - Prompt and answer fit into the context together; the scripts cut the prompt alone, at 128K.
/// - In a chat an answer may have 64 tokens, 1,024 in the code tasks, where the published limit is
///   smaller: those limits are meant for answers that the prompt has begun. `math_calc` answers with half
///   the context at most.
/// - GPT-4's `math_calc` has a system message and an example; here it has the template that the same file
///   keeps.
public final class InfiniteBenchSuite implements Suite {
    private static final List<String> TASKS = List.of(
            "passkey",
            "number_string",
            "kv_retrieval",
            "longbook_sum_eng",
            "longbook_choice_eng",
            "longbook_qa_eng",
            "longbook_qa_chn",
            "longdialogue_qa_eng",
            "math_find",
            "math_calc",
            "code_run",
            "code_debug");

    @Override
    public String name() {
        return "infinitebench";
    }

    @Override
    public List<String> tasks() {
        return TASKS;
    }

    @Override
    public EvalTask open(String task, TaskContext context) {
        checkTask(task);
        return new InfiniteBenchTask(name() + "/" + task, task, context);
    }
}
