package io.shadowkv.eval.infinitebench;

import io.shadowkv.eval.EvalTask;
import io.shadowkv.eval.Suite;
import io.shadowkv.eval.TaskContext;
import java.util.List;

/// InfiniteBench (OpenBMB/InfiniteBench), read from `infinitebench/<task>.jsonl` in the data
/// folder.
///
/// Models with a chat template get, in that template, the prompts that InfiniteBench's scripts send
/// to GPT-4. All other models get the prompts for YaRN-Mistral without a template. The scripts use
/// these for every open model, so the published numbers of open models are of this second kind even
/// if the model has a template. With the paper's prompts
/// ([io.shadowkv.eval.PromptVersion#SHADOWKV]) both kinds of models get the same prompt, chat
/// models inside their template. A text that is too long loses tokens in the middle. Differences
/// from the scripts:
///
/// - Prompt and answer together fit the context; the scripts limit the prompt alone, to 128K.
/// - In a chat an answer may have 64 tokens, and 1,024 in the code tasks, if the published limit is
///   smaller: those limits are for answers whose beginning is part of the prompt. `math_calc`
///   answers with half the context at most.
/// - GPT-4's `math_calc` has a system message and an example; here it uses the template of the same
///   file.
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
