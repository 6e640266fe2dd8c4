package io.shadowkv.server.endpoint;

import io.shadowkv.server.error.ApiException;
import io.shadowkv.server.http.Exchange;
import io.shadowkv.server.json.Fields;
import io.shadowkv.server.json.JsonBody;
import io.shadowkv.server.model.ServedModel;
import java.util.List;
import tools.jackson.databind.node.ObjectNode;

/// `POST /detokenize`: the text of token ids.
public record Detokenize(Serving serving) implements Endpoint {
    @Override
    public void answer(Exchange exchange) {
        Fields request = serving.body(exchange);
        ServedModel model = serving.model();
        model.checkName(request.text("model").orElse(null));
        if (!request.has("tokens")) {
            throw ApiException.invalid("tokens", "tokens is absent; give an array of token ids");
        }
        List<Integer> ids = request.ids("tokens");
        String text = model.tokenizer()
                .decode(ids.stream().mapToInt(Integer::intValue).toArray(), false);
        ObjectNode body = JsonBody.object();
        // vLLM's name and llama.cpp's.
        body.put("prompt", text);
        body.put("content", text);
        Serving.json(exchange, 200, body);
    }
}
