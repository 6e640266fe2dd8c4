package io.shadowkv.server.endpoint;

import io.shadowkv.server.answer.Sending;
import io.shadowkv.server.documents.DocumentStore;
import io.shadowkv.server.error.ErrorBody;
import io.shadowkv.server.error.Failures;
import io.shadowkv.server.generate.Slots;
import io.shadowkv.server.http.Exchange;
import io.shadowkv.server.json.Fields;
import io.shadowkv.server.json.JsonBody;
import io.shadowkv.server.metrics.ServerMetrics;
import io.shadowkv.server.model.ServedModel;
import io.shadowkv.server.request.RequestDefaults;
import io.shadowkv.server.structured.StructuredOutput;
import java.time.Duration;
import java.util.concurrent.Semaphore;
import tools.jackson.databind.JsonNode;

/// What the endpoints of a loaded model share.
///
/// @param model the model and its engine
/// @param metrics receive what happens
/// @param failures turns failures into errors and logs them
/// @param structured makes constraints for JSON and calls of tools
/// @param slots the generations that run
/// @param scoringTurns lets one request at a time compute log probabilities of prompts
/// @param documents those that were read
/// @param defaults for fields that requests leave out
/// @param bodyBytes maximum size of a request
/// @param requestTime time limit of a request from its submission
/// @param pingInterval maximum time without a byte to a client that waits
public record Serving(
        ServedModel model,
        ServerMetrics metrics,
        Failures failures,
        StructuredOutput structured,
        Slots slots,
        Semaphore scoringTurns,
        DocumentStore documents,
        RequestDefaults defaults,
        long bodyBytes,
        Duration requestTime,
        Duration pingInterval) {
    /// The JSON object in the body.
    ///
    /// @throws io.shadowkv.server.error.ApiException if the body is too large or malformed
    Fields body(Exchange exchange) {
        return new Fields(JsonBody.parse(exchange.body(bodyBytes)), "");
    }

    /// Sends the answer of an exchange.
    Sending sending(Exchange exchange) {
        return new Sending(exchange, failures);
    }

    static void json(Exchange exchange, int status, JsonNode body) {
        exchange.respond(status, ErrorBody.JSON_HEADERS, JsonBody.bytes(body));
    }
}
