package io.shadowkv.server.endpoint;

import io.shadowkv.server.http.Exchange;
import io.shadowkv.server.json.JsonBody;
import io.shadowkv.server.model.ServedModel;
import tools.jackson.databind.node.ObjectNode;

/// `GET /v1/models`: lists the served model under each of its names.
public record Models(Serving serving) implements Endpoint {
    @Override
    public void answer(Exchange exchange) {
        ObjectNode body = JsonBody.object();
        body.put("object", "list");
        ServedModel model = serving.model();
        for (String name : model.names()) {
            ObjectNode one = body.withArray("data").addObject();
            one.put("id", name);
            one.put("object", "model");
            one.put("created", model.created().getEpochSecond());
            one.put("owned_by", "shadowkv");
            one.put("max_model_len", model.engine().contextTokens());
            meta(one.putObject("meta"), model);
        }
        Serving.json(exchange, 200, body);
    }

    /// The vocabulary has llama.cpp's name; benchmarks write the rest into their records.
    private static void meta(ObjectNode meta, ServedModel model) {
        meta.put("n_vocab", model.engine().spec().vocabularySize());
        meta.put("has_tokenizer", model.engine().hasTokenizer());
        meta.put("max_batch", model.engine().options().maxBatch());
        meta.put("engines", model.engines().size());
        model.facts().forEach(meta::put);
    }
}
