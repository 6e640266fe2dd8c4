package io.shadowkv.server.documents;

import io.shadowkv.server.error.ApiException;
import io.shadowkv.server.model.ServedModel;
import io.shadowkv.text.chat.ChatMessage;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/// Finds the tokens with which every request about a document begins.
final class DocumentTokens {
    /// Beginnings of questions of different kinds. A tokenizer may join the end of a text and what
    /// follows it into one token; that token does not belong to the document.
    private static final List<String> BEGINNINGS = List.of("A", " a", "1", "\n", "\n\n", ".", "\"", "字");

    private DocumentTokens() {}

    /// @throws ApiException if the tokens are not in the vocabulary, or the text has no tokens of its own
    static int[] of(ServedModel model, DocumentRequest request) {
        String text = request.text();
        if (text == null) {
            int[] given = request.ids().stream().mapToInt(Integer::intValue).toArray();
            model.checkIds("tokens", "the document", IntStream.of(given));
            return given;
        }
        int[] ids = request.isForChats()
                ? beginningOfChats(model, request, text)
                : model.tokenizer().encode(text, true);
        if (ids.length == 0) {
            throw ApiException.invalid("text", "the text has no tokens; give a longer text");
        }
        return ids;
    }

    private static int[] beginningOfChats(ServedModel model, DocumentRequest request, String text) {
        int[] shared = chat(model, request, text + BEGINNINGS.getFirst());
        for (String beginning : BEGINNINGS.subList(1, BEGINNINGS.size())) {
            int end = Arrays.mismatch(shared, chat(model, request, text + beginning));
            shared = end < 0 ? shared : Arrays.copyOf(shared, end);
        }
        return shared;
    }

    private static int[] chat(ServedModel model, DocumentRequest request, String content) {
        List<ChatMessage> messages = new ArrayList<>();
        if (request.system() != null) {
            messages.add(new ChatMessage("system", request.system()));
        }
        messages.add(new ChatMessage("user", content));
        return model.encodeChat(messages, Map.of());
    }
}
