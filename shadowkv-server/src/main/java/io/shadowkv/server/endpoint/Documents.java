package io.shadowkv.server.endpoint;

import io.shadowkv.server.documents.DocumentReading;
import io.shadowkv.server.documents.DocumentRequest;
import io.shadowkv.server.documents.DocumentStore;
import io.shadowkv.server.documents.StoredDocument;
import io.shadowkv.server.error.ApiException;
import io.shadowkv.server.http.Exchange;
import io.shadowkv.server.json.Fields;
import io.shadowkv.server.json.JsonBody;
import io.shadowkv.server.model.ServedModel;
import java.time.Duration;
import java.util.Locale;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// `/v1/documents`: reads documents once, lists and deletes them.
public record Documents(Serving serving) {
    /// Place of the identifier in `/v1/documents/{id}`.
    private static final int ID_SEGMENT = 3;

    /// `POST /v1/documents`: reads a document and keeps it.
    public void create(Exchange exchange) throws InterruptedException {
        ServedModel model = serving.model();
        boolean hasTemplate = model.engine().hasTokenizer() && model.engine().hasChatTemplate();
        DocumentRequest request = isText(exchange)
                ? DocumentRequest.ofText(JsonBody.text(exchange.body(serving.bodyBytes())), hasTemplate)
                : DocumentRequest.read(serving.body(exchange), hasTemplate);
        model.checkName(request.model().orElse(null));
        DocumentStore store = serving.documents();
        StoredDocument document = store.add(request);
        exchange.note("document", document.id());
        exchange.note("prompt", document.tokens());
        Duration limit = serving.requestTime();
        long start = System.nanoTime();
        try (DocumentReading reading = DocumentReading.start(store, document, limit.isZero() ? null : limit)) {
            if (DocumentAnswer.send(
                    serving.sending(exchange), reading, document, request.streams(), serving.pingInterval())) {
                serving.metrics().documentRead(document.tokens(), System.nanoTime() - start);
            }
        }
    }

    private static boolean isText(Exchange exchange) {
        String type = exchange.header("Content-Type");
        return type != null && type.strip().toLowerCase(Locale.ROOT).startsWith("text/plain");
    }

    /// `GET /v1/documents`
    public void list(Exchange exchange) {
        ObjectNode body = JsonBody.object();
        body.put("object", "list");
        ArrayNode data = body.putArray("data");
        serving.documents().list().forEach(document -> data.add(json(document)));
        serving.documents().saved().forEach(data::add);
        Serving.json(exchange, 200, body);
    }

    private ObjectNode json(StoredDocument document) {
        ObjectNode body = document.json();
        body.put("saved", serving.documents().isSaved(document.id()));
        return body;
    }

    /// `GET /v1/documents/{id}`
    public void one(Exchange exchange) {
        String id = id(exchange);
        ObjectNode body = serving.documents().describe(id);
        body.put("saved", serving.documents().isSaved(id));
        Serving.json(exchange, 200, body);
    }

    /// `DELETE /v1/documents/{id}`
    public void delete(Exchange exchange) {
        String id = id(exchange);
        serving.documents().delete(id);
        ObjectNode body = JsonBody.object();
        body.put("id", id);
        body.put("object", "document.deleted");
        body.put("deleted", true);
        Serving.json(exchange, 200, body);
    }

    /// `POST /v1/documents/{id}/save`: saves a document in the server's folder.
    public void save(Exchange exchange) {
        ObjectNode body = serving.documents().save(id(exchange)).document().json();
        body.put("saved", true);
        Serving.json(exchange, 200, body);
    }

    /// `POST /v1/documents/load`: brings a saved document back.
    public void load(Exchange exchange) {
        Fields request = serving.body(exchange);
        serving.model().checkName(request.text("model").orElse(null));
        String id = request.text("id")
                .orElseThrow(() -> ApiException.invalid("id", "id is absent; give the id of a saved document"));
        long start = System.nanoTime();
        StoredDocument document = serving.documents().load(id).document();
        serving.metrics().documentRestored(System.nanoTime() - start);
        exchange.note("document", id);
        Serving.json(exchange, 200, document.json());
    }

    private static String id(Exchange exchange) {
        return exchange.path().split("/", -1)[ID_SEGMENT];
    }
}
