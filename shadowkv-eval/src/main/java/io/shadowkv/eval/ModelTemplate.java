package io.shadowkv.eval;

import java.util.Arrays;
import java.util.List;

/// Chat templates, verbatim: those used for the paper's tables (bytedance/ShadowKV,
/// `data/ruler/prepare.py`) and, from `meta-chat` on, those of RULER's own scripts (NVIDIA/RULER,
/// `scripts/data/template.py`) under their names there. Also the text between an answer and the next
/// question.
public enum ModelTemplate {
    BASE("base", "", "", "\n"),
    LLAMA_3(
            "llama-3",
            "<|begin_of_text|><|start_header_id|>system<|end_header_id|>You are a helpful assistant<|eot_id|>"
                    + "<|start_header_id|>user<|end_header_id|>",
            "<|eot_id|><|start_header_id|>assistant<|end_header_id|>",
            "<|eot_id|><|start_header_id|>user<|end_header_id|>"),
    YI(
            "yi",
            "<|im_start|>system\nYou are a helpful assistant<|im_end|>\n<|im_start|>user\n",
            "<|im_end|>\n<|im_start|>assistant\n",
            "<|im_end|>\n<|im_start|>user\n"),
    LWM("lwm", "You are a helpful assistant.\nUSER: ", "\nASSISTANT: ", "\nUSER: "),
    GLM("glm", "[gMASK]sop<|system|>\nYou are a helpful assistant\n<|user|> \n", "<|assistant|>\n", "<|user|> \n"),
    QWEN(
            "qwen",
            "<|im_start|>system\nYou are a helpful assistant<|im_end|>\n<|im_start|>user\n",
            "<|im_end|>\n<|im_start|>assistant\n",
            "<|im_end|>\n<|im_start|>user\n"),
    PHI(
            "phi",
            "<|system|>\nYou are a helpful assistant<|end|>\n<|user|>\n",
            "<|end|>\n<|assistant|>\n",
            "<|end|>\n<|user|>\n"),
    META_CHAT("meta-chat", "[INST] ", " [/INST]", " [INST] "),
    LWM_CHAT("lwm-chat", "You are a helpful assistant. USER: ", " ASSISTANT: ", " USER: "),
    CHATGLM_CHAT("chatglm-chat", "[gMASK]sop<|user|> \n ", "<|assistant|> \n ", "<|user|> \n "),
    PHI_3("Phi3", "<|user|>\n", "<|end|>\n<|assistant|>\n", "<|end|>\n<|user|>\n"),
    META_LLAMA_3(
            "meta-llama3",
            "<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\n",
            "<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n",
            "<|eot_id|><|start_header_id|>user<|end_header_id|>\n\n");

    private final String label;
    private final String before;
    private final String after;
    private final String between;

    ModelTemplate(String label, String before, String after, String between) {
        this.label = label;
        this.before = before;
        this.after = after;
        this.between = between;
    }

    /// All names: `base`, `llama-3`, `yi`, `lwm`, `glm`, `qwen`, `phi` of the paper, then `meta-chat`, `lwm-chat`,
    /// `chatglm-chat`, `Phi3`, `meta-llama3` of RULER.
    public static List<String> names() {
        return Arrays.stream(values()).map(template -> template.label).toList();
    }

    /// Returns the template with the given name.
    ///
    /// @throws IllegalArgumentException if there is none
    public static ModelTemplate named(String name) {
        return Arrays.stream(values())
                .filter(template -> template.label.equals(name))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException(
                        "there is no template \"" + name + "\"; there are " + String.join(", ", names())));
    }

    /// The text before the user's message.
    public String before() {
        return before;
    }

    /// The text between the user's message and the answer.
    public String after() {
        return after;
    }

    /// The text between an answer and the user's next message. Neither source has second turns, so
    /// this project defines it.
    String between() {
        return between;
    }
}
