package io.shadowkv.cli.bench.serve;

import io.shadowkv.cli.bench.load.LoadFailure;
import io.shadowkv.cli.bench.load.PromptSource;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/// What a server says about its model.
///
/// @param model name of the model
/// @param method `full` or `shadowkv`; empty if the server does not say it
/// @param facts everything that the server says in addition
record ServedInfo(String model, String method, ObjectNode facts) {
    private static final int MEASURED_SENTENCES = 200;

    /// Asks the server.
    ///
    /// @param asked name of the model; null for the first one that the server lists
    /// @throws LoadFailure if it does not answer, or has no such model
    static ServedInfo read(ServerConnection connection, @Nullable String asked) throws InterruptedException {
        JsonNode models = connection.json("/v1/models").path("data");
        for (JsonNode one : models) {
            String name = one.path("id").asString("");
            if (asked == null || name.equals(asked)) {
                ObjectNode facts = JsonMapper.shared().createObjectNode();
                facts.put("context_tokens", one.path("max_model_len").asInt(0));
                if (one.path("meta") instanceof ObjectNode meta) {
                    facts.setAll(meta);
                }
                return new ServedInfo(name, facts.path("method").asString(""), facts);
            }
        }
        throw new LoadFailure(
                "no model",
                connection.url() + (asked == null ? " lists no model" : " has no model " + asked)
                        + "; GET /v1/models lists " + models);
    }

    /// Where prompts come from.
    ///
    /// @param areIds true for random token ids
    /// @param vocabulary number of ids; null for what the server says
    /// @throws LoadFailure if the server does not say what is needed
    PromptSource source(ServerConnection connection, boolean areIds, @Nullable Integer vocabulary)
            throws InterruptedException {
        if (!areIds) {
            return new PromptSource.Sentences(tokensPerSentence(connection));
        }
        int size = vocabulary == null ? facts.path("n_vocab").asInt(0) : vocabulary;
        if (size < 1) {
            throw new LoadFailure(
                    "no vocabulary",
                    connection.url() + " does not say how many token ids its model has. Give --vocabulary N, or"
                            + " --prompts text");
        }
        return new PromptSource.RandomIds(size);
    }

    private double tokensPerSentence(ServerConnection connection) throws InterruptedException {
        String text = PromptSource.Sentences.text(new SplittableRandom(0), MEASURED_SENTENCES);
        ObjectNode body = JsonMapper.shared().createObjectNode();
        body.put("model", model);
        body.put("prompt", text);
        int count = connection.json("/tokenize", body.toString()).path("count").asInt(0);
        if (count < MEASURED_SENTENCES) {
            throw new LoadFailure(
                    "no tokenizer",
                    connection.url() + "/tokenize counts " + count + " tokens in a text of " + MEASURED_SENTENCES
                            + " sentences; give --prompts ids");
        }
        return (double) count / MEASURED_SENTENCES;
    }
}
