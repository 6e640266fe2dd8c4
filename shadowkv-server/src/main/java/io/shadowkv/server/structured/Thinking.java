package io.shadowkv.server.structured;

import io.shadowkv.text.chat.ChatMessage;
import java.util.List;
import java.util.Map;
import java.util.function.BiFunction;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;

/// Whether the answers of a model begin with its thoughts, between `<think>` and `</think>`.
public enum Thinking {
    /// They do not.
    NONE,
    /// An answer may begin with `<think>`.
    POSSIBLE,
    /// The prompt ends with `<think>`, so that an answer begins with thoughts.
    OPENED;

    static final String OPEN = "<think>";
    static final String CLOSE = "</think>";

    /// What the chat template says of it.
    ///
    /// @param renderer renders a conversation with additional variables up to the start of the
    ///     answer; gives an empty text if it cannot
    /// @param variables those of the request
    public static Thinking of(
            BiFunction<List<ChatMessage>, Map<String, @Nullable Object>, String> renderer,
            Map<String, @Nullable Object> variables) {
        ChatMessage question = new ChatMessage("user", "x");
        String prompt = renderer.apply(List.of(question), variables);
        if (prompt.stripTrailing().endsWith(OPEN)) {
            return OPENED;
        }
        // Qwen 3 writes a closed pair into the prompt where thinking is off.
        String off = renderer.apply(List.of(question), Map.of("enable_thinking", false));
        // Templates show the thoughts of an answer between calls of tools.
        ChatMessage answer = new ChatMessage("assistant", "y", Map.of("reasoning_content", "z"));
        String shown = renderer.apply(List.of(question, answer), variables);
        return prompt.contains(OPEN) || off.contains(OPEN) || shown.contains(OPEN) ? POSSIBLE : NONE;
    }

    /// The number of tokens of an answer that are thoughts, with those of the marks.
    ///
    /// @param texts gives the text of a token
    public int tokens(int[] ids, IntFunction<String> texts) {
        if (this == NONE) {
            return 0;
        }
        StringBuilder text = new StringBuilder();
        boolean isOpen = this == OPENED;
        for (int i = 0; i < ids.length; i++) {
            int before = text.length();
            text.append(texts.apply(ids[i]));
            if (!isOpen) {
                String begun = text.toString().stripLeading();
                if (!begun.startsWith(OPEN) && !OPEN.startsWith(begun)) {
                    return 0;
                }
                isOpen = begun.startsWith(OPEN);
            }
            if (isOpen && text.indexOf(CLOSE, Math.max(0, before - CLOSE.length())) >= 0) {
                return i + 1;
            }
        }
        return isOpen ? ids.length : 0;
    }
}
