package io.shadowkv.server.request;

import io.shadowkv.server.error.ApiException;
import io.shadowkv.server.json.Fields;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/// A request to `/v1/completions`.
///
/// @param model the model's name; empty if it is left out
/// @param prompts at least one
/// @param document identifier of the document that the prompts follow; empty for none
/// @param echoes true if the answers begin with the prompts
/// @param scoredTokens number of tokens to generate, 0 or 1, if the log probabilities of the prompts are
///     asked for (`echo` with `logprobs`); -1 if they are not
/// @param generation how the answers are generated
public record CompletionRequest(
        Optional<String> model,
        List<Prompt> prompts,
        Optional<String> document,
        boolean echoes,
        int scoredTokens,
        GenerationFields generation) {
    private static final int MAX_LOGPROBS = 100;

    /// A prompt as text or as token ids.
    ///
    /// @param text null if the prompt is given as ids
    /// @param ids empty if the prompt is given as text; not copied
    public record Prompt(@Nullable String text, int[] ids) {}

    /// @throws ApiException if a field is wrong or not supported
    public static CompletionRequest read(Fields request, RequestDefaults defaults) {
        NotSupported.checkCompletion(request);
        OptionalInt logprobs = request.integer("logprobs", 0, MAX_LOGPROBS);
        boolean echoes = request.flag("echo", false);
        boolean scores = echoes && logprobs.isPresent();
        Fields generating = scores ? new Fields(request.without("max_tokens", "max_completion_tokens"), "") : request;
        GenerationFields generation = GenerationFields.read(generating, defaults, logprobs.orElse(-1));
        List<Prompt> prompts = prompts(request);
        int sequences = Math.multiplyExact(prompts.size(), generation.choices());
        if (sequences > defaults.maxChoices()) {
            throw ApiException.invalid(
                    "prompt",
                    "the request asks for " + sequences + " answers (prompts times n); this server gives at most "
                            + defaults.maxChoices() + " to one request");
        }
        return new CompletionRequest(
                request.text("model"),
                prompts,
                request.text("document"),
                echoes,
                scores ? scoredTokens(request, generation) : -1,
                generation);
    }

    /// @throws ApiException if the request asks for more than log probabilities of the prompt and of one
    ///     greedy token
    private static int scoredTokens(Fields request, GenerationFields generation) {
        int most = request.integer("max_completion_tokens", 0, Integer.MAX_VALUE)
                .orElse(request.integer("max_tokens", 0, Integer.MAX_VALUE).orElse(Integer.MAX_VALUE));
        if (most > 1) {
            throw notScored(request.has("max_completion_tokens") ? "max_completion_tokens" : "max_tokens", "0 or 1");
        }
        if (generation.choices() > 1) {
            throw notScored("n", "1");
        }
        if (generation.stream().streams()) {
            throw notScored("stream", "false");
        }
        if (request.has("document")) {
            throw notScored("document", "null");
        }
        if (most == 1 && generation.options().sampling().temperature() != 0) {
            throw notScored("temperature", "0");
        }
        return most;
    }

    private static ApiException notScored(String param, String expected) {
        return ApiException.invalid(
                param,
                "unsupported_parameter",
                "with echo and logprobs (log probabilities of the prompt), " + param + " must be " + expected
                        + "; change it, or leave echo out");
    }

    private static List<Prompt> prompts(Fields request) {
        JsonNode node = request.node("prompt").orElse(null);
        if (node == null || node.isContainer() && node.isEmpty()) {
            throw ApiException.invalid(
                    "prompt", "prompt is absent or empty; give a text, token ids, or a list of them");
        }
        if (node.isString()) {
            return List.of(new Prompt(node.stringValue(), new int[0]));
        }
        if (!node.isArray()) {
            throw request.wrong("prompt", node, "a string, token ids, or an array of strings or of token ids");
        }
        if (node.get(0).isNumber()) {
            return List.of(new Prompt(null, request.ids("prompt", node)));
        }
        List<Prompt> prompts = new ArrayList<>();
        for (JsonNode one : node) {
            String name = "prompt[" + prompts.size() + "]";
            if (one.isString()) {
                prompts.add(new Prompt(one.stringValue(), new int[0]));
            } else if (one.isArray() && !one.isEmpty()) {
                prompts.add(new Prompt(null, request.ids(name, one)));
            } else {
                throw request.wrong(name, one, "a string or token ids");
            }
        }
        return prompts;
    }
}
