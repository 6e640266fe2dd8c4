package io.shadowkv.eval.infinitebench;

import io.shadowkv.eval.text.PromptTemplate;
import java.util.Map;
import java.util.Objects;

/// InfiniteBench's prompts, verbatim with their misspellings (OpenBMB/InfiniteBench,
/// `src/prompt.py`).
final class InfiniteBenchPrompts {
    /// `gpt4_templates`: for chat models.
    static final Map<String, PromptTemplate> CHAT = Map.ofEntries(
            Map.entry(
                    "passkey",
                    new PromptTemplate("There is an important info hidden inside a lot of irrelevant "
                            + "text. Find it and memorize them. I will quiz you about the "
                            + "important information there.\n\n{context}\n\n{input}")),
            Map.entry(
                    "number_string",
                    new PromptTemplate("There is an important info hidden inside a lot of irrelevant "
                            + "text. Find it. I will quiz you about the important information "
                            + "there.\n\n{context}\n\n{input}")),
            Map.entry(
                    "kv_retrieval",
                    new PromptTemplate("Extract the value corresponding to the specified key in the "
                            + "JSON object below.\n\n{context}\n\n{input}")),
            Map.entry("longbook_sum_eng", new PromptTemplate("Summarize the following book.\n\n{context}")),
            Map.entry(
                    "longbook_choice_eng",
                    new PromptTemplate("Read the book and answer the "
                            + "question.\n\n{context}\n\nQuestion: {question}\n\nOnly one of "
                            + "the following options is correct, tell me the answer using one "
                            + "single letter (A, B, C, or D). Don't say anything else.\nA. "
                            + "{OPTION_A}\nB. {OPTION_B}\nC. {OPTION_C}\nD. {OPTION_D}")),
            Map.entry(
                    "longbook_qa_eng",
                    new PromptTemplate("Read the book below and answer a "
                            + "question.\n\n{context}\n\nQuestion: {question}\n\nBe very "
                            + "concise.")),
            Map.entry("longbook_qa_chn", new PromptTemplate("请根据以下书籍回答我的问题。\n\n{context}\n\n问题：{question}\n请尽量简短地回答。")),
            Map.entry(
                    "longdialogue_qa_eng",
                    new PromptTemplate("Below is a dialogue script where one random occurrence of a "
                            + "character name is replaced with \"$$MASK$$\", and you should "
                            + "try to guess who that character is.\n\nThe "
                            + "dialogue:\n\n---\n\n{context}\n\n---\n\nEnd of "
                            + "dialogue.\n\nWhich character is most likely \"$$MASK$$\"? Just "
                            + "say the name used by the scriptwriter (before the colon marks) "
                            + "of one single character and nothing else.")),
            Map.entry("math_find", new PromptTemplate("{prefix}\n\n{context}\n\n{input}")),
            Map.entry(
                    "math_calc",
                    new PromptTemplate(
                            "Compute the intermediate values in the following long " + "expression.\n\n{context}")),
            Map.entry(
                    "code_run",
                    new PromptTemplate("Following is a set of Python functions. There is a function "
                            + "called named {func}.\n\n{context}\n\nPlease give me the exact "
                            + "number of the return value of {func_call}. Be concise. Your "
                            + "response must end with the final returned value.")),
            Map.entry(
                    "code_debug",
                    new PromptTemplate("There is ONLY ONE function in the large project that is "
                            + "deliberately made to include an obvious error. Please find the "
                            + "function that contains the most obvious errors. I will give you "
                            + "four options to narrow your scope. You can inspect the options "
                            + "and think. Eventually, tell me the answer using one single "
                            + "letter (A, B, C, or D).\n\n{context}\n\nWhich funtion has "
                            + "deliberate error?\nA. {OPTION_A}\nB. {OPTION_B}\nC. "
                            + "{OPTION_C}\nD. {OPTION_D}\n\nYou should first find the "
                            + "functions in the options. Repeat their content, inspect through "
                            + "code, and at last give me your answer for the function that has "
                            + "the deliberate and obvious error in A, B, C, or D.")));

    /// `yarn_mistral_templates`: for models that continue text; the script uses them for all open
    /// models.
    static final Map<String, PromptTemplate> CONTINUE = Map.ofEntries(
            Map.entry(
                    "passkey",
                    new PromptTemplate("There is an important info hidden inside a lot of irrelevant "
                            + "text. Find it and memorize it. I will quiz you about the "
                            + "important information.\n\n{context}\n\n{input}\n\nThe pass key "
                            + "is")),
            Map.entry(
                    "number_string",
                    new PromptTemplate("There is an important info hidden inside a lot of irrelevant "
                            + "text. Find it. I will quiz you about the important information "
                            + "there.\n\n{context}\n\n{input}\n\nThe sequence of digits is")),
            Map.entry(
                    "kv_retrieval",
                    new PromptTemplate("Extract the value corresponding to the specified key in the "
                            + "JSON object below.\n\n{context}\n\n{input}")),
            Map.entry("longbook_sum_eng", new PromptTemplate("Summarize the book below.\n\n{context}\n\nSummary:")),
            Map.entry(
                    "longbook_choice_eng",
                    new PromptTemplate("Read the book and answer the "
                            + "question.\n\n{context}\n\nQuestion: {question}\nA. "
                            + "{OPTION_A}\nB. {OPTION_B}\nC. {OPTION_C}\nD. {OPTION_D}\n\nThe "
                            + "letter of the correct answer is")),
            Map.entry(
                    "longbook_qa_eng",
                    new PromptTemplate("Read the book and answer the question. Be very concise in your "
                            + "answer.\n\n{context}\n\nQuestion: {question}\nAnswer:")),
            Map.entry("longbook_qa_chn", new PromptTemplate("阅读以下书籍然后回答问题。\n\n{context}\n\n问题：{question}\n答案：")),
            Map.entry(
                    "longdialogue_qa_eng",
                    new PromptTemplate("Below is a dialogue script where one random occurrence of a "
                            + "character name is replaced with \"$$MASK$$\", and you should "
                            + "try to guess who that character is.\n\n{context}\n\nThe name "
                            + "that has been replaced with $$MASK$$ is likely")),
            Map.entry("math_find", new PromptTemplate("{prefix}\n\n{context}\n\n{input}")),
            Map.entry(
                    "math_calc",
                    new PromptTemplate("Let us calculate the intermediate values of an "
                            + "expression.\n\nExpression: 1 + 3 + 4\nValues: [1, 4, "
                            + "8]\n\nExpression: 8 - 3 + 2 - 4\nValues: [8, 5, 7, "
                            + "3]\n\nExpression: {context}\nValues:")),
            Map.entry(
                    "code_run",
                    new PromptTemplate("There is a function called {func} in the following Python "
                            + "code.\n\n{context}\n\nPlease compute the exact value of "
                            + "{func_call}. The value of {func_call} is")),
            Map.entry(
                    "code_debug",
                    new PromptTemplate("Following is a Python code where exactly one of the "
                            + "functions/methods has a deliberate error that makes it "
                            + "crash.\n\n{context}\n\nOptions:\nA. {OPTION_A}\nB. "
                            + "{OPTION_B}\nC. {OPTION_C}\nD. {OPTION_D}\n\nThe correct option "
                            + "is:")));

    /// `VANILLA_INFINI_BENCH_TEMPLATE` of the paper's code (bytedance/ShadowKV, `data/utils.py`):
    /// the templates that differ from [#CONTINUE]. It has no `math_calc`, and uses only the key of
    /// `kv_retrieval`'s input.
    private static final Map<String, PromptTemplate> PAPER = Map.of(
            "kv_retrieval",
            new PromptTemplate("Extract the value corresponding to the specified key in the JSON object below. A"
                    + " specified key value pair is hidden within the following text. Make sure to memorize it. I"
                    + " will quiz you about the key value pair afterwards.\n\n{context}\n\nWhat is the specified value"
                    + " for '{input}' mentioned in the provided JSON? Please do not reply with the key, but with the"
                    + " value corresponding to the key.The value associated with '{input}' is:"),
            "longbook_sum_eng",
            new PromptTemplate("Summarize the book below. \n\n{context}\n\nSummary:"),
            "longbook_qa_chn",
            new PromptTemplate("阅读以下书籍然后回答问题。\n\n{context}\n请用中文回答。\n问题：{question}\n答案："),
            "longdialogue_qa_eng",
            new PromptTemplate("Below is a dialogue script where one random occurrence of a character name is replaced"
                    + " with \"$$MASK$$\", and you should try to guess who that character is.\n\n{context}\n\n{input}"
                    + " Just give the name without other words. Do not give me random numbers or something else. The"
                    + " name that has been replaced with \"$$MASK$$\" is "));

    private InfiniteBenchPrompts() {}

    /// The paper's prompt of a task.
    ///
    /// @throws IllegalArgumentException if it has none
    static PromptTemplate paper(String task) {
        if (task.equals("math_calc")) {
            throw new IllegalArgumentException(
                    "infinitebench/math_calc: the paper's code has no prompt for it. Leave the"
                            + " task out, or use the official prompts");
        }
        return Objects.requireNonNull((PAPER.containsKey(task) ? PAPER : CONTINUE).get(task));
    }
}
