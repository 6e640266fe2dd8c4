package io.shadowkv.server.endpoint;

import io.shadowkv.server.documents.DocumentStore.Stored;
import io.shadowkv.server.error.ApiException;
import io.shadowkv.server.generate.Slots;
import io.shadowkv.server.http.Exchange;
import io.shadowkv.server.json.JsonBody;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// `/slots` under llama.cpp's names: what runs, and the documents' verbs. A slot here has no state of
/// its own after its answer; documents have, so the verbs take the identifier of a document.
public record SlotList(Serving serving) {
    /// Place of the identifier in `/slots/{id}`.
    private static final int ID_SEGMENT = 2;

    private static final double MILLIS = 1e6;

    /// `GET /slots`
    public void list(Exchange exchange) {
        ArrayNode body = JsonBody.array();
        boolean hasFree = false;
        for (Slots.Slot slot : serving.slots().list()) {
            hasFree |= slot.occupant() == null;
            put(body.addObject(), slot);
        }
        if (!hasFree && "1".equals(exchange.query("fail_on_no_slot"))) {
            throw ApiException.unavailable("no_slot", "all " + body.size() + " slots are in use; try again soon", 1);
        }
        Serving.json(exchange, 200, body);
    }

    private void put(ObjectNode node, Slots.Slot slot) {
        Slots.Occupant occupant = slot.occupant();
        node.put("id", slot.id());
        node.put("id_task", occupant == null ? -1 : occupant.task());
        node.put("n_ctx", serving.model().engine().contextTokens());
        node.put("speculative", false);
        node.put("is_processing", occupant != null);
        int generated = occupant == null ? 0 : occupant.generatedTokens();
        int most = occupant == null ? 0 : occupant.maxNewTokens();
        node.put("n_prompt_tokens", occupant == null ? 0 : occupant.promptTokens());
        node.putObject("params").put("n_predict", most);
        ObjectNode next = node.putObject("next_token");
        next.put("has_next_token", generated < most);
        next.put("n_remain", most - generated);
        next.put("n_decoded", generated);
    }

    /// `POST /slots/{id}?action=save`, `restore` or `erase`
    public void act(Exchange exchange) {
        String id = exchange.path().split("/", -1)[ID_SEGMENT];
        String action = exchange.query("action");
        ObjectNode body = switch (action == null ? "" : action) {
            case "save" -> saved(id);
            case "restore" -> restored(id);
            case "erase" -> erased(id);
            default ->
                throw ApiException.invalid(
                        "action",
                        action == null
                                ? "action is absent; give ?action=save, restore or erase"
                                : "action is not one of save, restore and erase");
        };
        Serving.json(exchange, 200, body);
    }

    private ObjectNode saved(String id) {
        checkDocument(id);
        long start = System.nanoTime();
        Stored stored = serving.documents().save(id);
        return answer(stored, "n_saved", "n_written", "save_ms", System.nanoTime() - start);
    }

    private ObjectNode restored(String id) {
        checkDocument(id);
        long start = System.nanoTime();
        Stored stored = serving.documents().load(id);
        long nanos = System.nanoTime() - start;
        serving.metrics().documentRestored(nanos);
        return answer(stored, "n_restored", "n_read", "restore_ms", nanos);
    }

    private ObjectNode erased(String id) {
        checkDocument(id);
        ObjectNode body = JsonBody.object();
        body.put("id_slot", id);
        body.put("n_erased", serving.documents().delete(id));
        return body;
    }

    /// @throws ApiException if the identifier is that of a slot and of no document (400)
    private void checkDocument(String id) {
        boolean isSlot = id.matches("[0-9]{1,9}") && !serving.documents().knows(id);
        if (isSlot) {
            throw ApiException.invalid(
                    "id",
                    "slot " + id + " keeps nothing after its answer. Keep a document (POST /v1/documents), and give its"
                            + " id in place of the slot's number");
        }
    }

    private static ObjectNode answer(Stored stored, String tokens, String bytes, String time, long nanos) {
        ObjectNode body = JsonBody.object();
        body.put("id_slot", stored.document().id());
        body.put("filename", stored.file());
        body.put(tokens, stored.document().tokens());
        body.put(bytes, stored.fileBytes());
        body.putObject("timings").put(time, nanos / MILLIS);
        return body;
    }
}
