package io.shadowkv.server.answer;

import io.shadowkv.engine.Completion;
import io.shadowkv.server.json.JsonBody;
import java.util.List;
import tools.jackson.databind.node.ObjectNode;

/// Counts of tokens, as clients are billed by them.
///
/// @param promptTokens each prompt counts once, however many answers it has
/// @param completionTokens tokens of all answers
/// @param cachedTokens prompt tokens that were not read again
/// @param reasoningTokens tokens of the answers that are thoughts
public record Usage(long promptTokens, long completionTokens, long cachedTokens, long reasoningTokens) {
    /// @param completions lie prompt by prompt
    static Usage of(List<Completion> completions, AnswerPlan plan) {
        long prompt = 0;
        long completion = 0;
        long cached = 0;
        for (int i = 0; i < completions.size(); i++) {
            Completion one = completions.get(i);
            completion += one.ids().length;
            if (i % plan.answersPerPrompt() == 0) {
                prompt += one.promptTokens();
                cached += one.cachedTokens();
            }
        }
        return new Usage(prompt, completion, cached, plan.format().reasoningTokens(completions));
    }

    ObjectNode json() {
        ObjectNode usage = JsonBody.object();
        usage.put("prompt_tokens", promptTokens);
        usage.put("completion_tokens", completionTokens);
        usage.put("total_tokens", promptTokens + completionTokens);
        usage.putObject("prompt_tokens_details").put("cached_tokens", cachedTokens);
        usage.putObject("completion_tokens_details").put("reasoning_tokens", reasoningTokens);
        return usage;
    }
}
