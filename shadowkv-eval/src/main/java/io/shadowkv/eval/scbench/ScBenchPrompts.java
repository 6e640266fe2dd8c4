package io.shadowkv.eval.scbench;

import io.shadowkv.eval.text.PromptTemplate;
import java.util.Map;

/// SCBench's prompts, verbatim with their misspellings (microsoft/MInference,
/// `scbench/eval_utils.py`).
final class ScBenchPrompts {
    private static final PromptTemplate PLAIN_CONTEXT = new PromptTemplate("{context}");
    private static final PromptTemplate PLAIN_QUERY = new PromptTemplate("{input}");

    /// First halves of `multiturn_templates_scdq`: the shared text.
    private static final Map<String, PromptTemplate> CONTEXTS = Map.of(
            "scbench_kv",
            new PromptTemplate(
                    "Extract the value corresponding to the specified key in the JSON object below.\n\n{context}"),
            "scbench_choice_eng",
            new PromptTemplate("Read the book and answer the question.\n\n{context}"),
            "scbench_qa_eng",
            new PromptTemplate("Read the book and answer the question. Be very concise in your answer.\n\n{context}"),
            "scbench_qa_chn",
            new PromptTemplate("阅读以下书籍然后回答问题。\n\n{context}"),
            "scbench_mf",
            new PromptTemplate("{prefix}\n\n{context}"),
            "scbench_repoqa",
            new PromptTemplate("Based on the function description and code context, please retrieve and repeat the"
                    + " exact described function from the code context in a code block wrapped by ```:\n\n{context}"));

    /// `multiturn_follow_up_templates_in_chat_tempate`: a question.
    private static final Map<String, PromptTemplate> QUERIES = Map.of(
            "scbench_choice_eng",
            new PromptTemplate("Question: {question}\nA. {OPTION_A}\nB. {OPTION_B}\nC. {OPTION_C}\nD. {OPTION_D}\n\n"
                    + "The the correct answer is"),
            "scbench_qa_eng",
            new PromptTemplate("Question: {question}\nAnswer:"),
            "scbench_qa_chn",
            new PromptTemplate("问题：{question}\n答案："),
            "scbench_mf",
            new PromptTemplate("{prefix}\n\n{input}"));

    /// `multiturn_follow_up_templates`: a later question of a plain conversation with right
    /// answers, if it differs.
    private static final Map<String, PromptTemplate> FOLLOW_UPS = Map.of(
            "scbench_choice_eng",
            new PromptTemplate("Question: {question}\nA. {OPTION_A}\nB. {OPTION_B}\nC. {OPTION_C}\nD. {OPTION_D}\n\n"
                    + "The letter of the correct answer is"));

    private ScBenchPrompts() {}

    /// A later question of a plain conversation with right answers.
    static PromptTemplate followUp(String task) {
        return FOLLOW_UPS.getOrDefault(task, query(task));
    }

    static PromptTemplate context(String task) {
        return CONTEXTS.getOrDefault(task, PLAIN_CONTEXT);
    }

    static PromptTemplate query(String task) {
        return QUERIES.getOrDefault(task, PLAIN_QUERY);
    }
}
