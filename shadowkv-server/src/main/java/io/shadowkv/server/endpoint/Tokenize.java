package io.shadowkv.server.endpoint;

import io.shadowkv.server.http.Exchange;
import io.shadowkv.server.json.JsonBody;
import io.shadowkv.server.model.ServedModel;
import io.shadowkv.server.request.TokenizeRequest;
import java.util.stream.IntStream;
import tools.jackson.databind.node.ObjectNode;

/// `POST /tokenize`: the token ids of a text or of a conversation.
public record Tokenize(Serving serving) implements Endpoint {
    @Override
    public void answer(Exchange exchange) {
        TokenizeRequest request = TokenizeRequest.read(serving.body(exchange));
        ServedModel model = serving.model();
        model.checkName(request.model().orElse(null));
        int[] ids = request.text().isPresent()
                ? model.tokenizer().encode(request.text().get(), request.addsSpecialTokens())
                : model.encodeChat(request.messages(), request.templateVariables());
        ObjectNode body = JsonBody.object();
        body.put("count", ids.length);
        body.put("max_model_len", model.engine().contextTokens());
        IntStream.of(ids).forEach(body.putArray("tokens")::add);
        Serving.json(exchange, 200, body);
    }
}
