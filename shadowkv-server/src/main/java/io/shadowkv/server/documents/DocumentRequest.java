package io.shadowkv.server.documents;

import io.shadowkv.server.error.ApiException;
import io.shadowkv.server.json.Fields;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// A request to `POST /v1/documents`.
///
/// @param model the model's name; empty if it is left out
/// @param id identifier that the client chose; empty for a new one
/// @param name for people; may be empty
/// @param text null if the document is given as token ids
/// @param ids empty if the document is given as text
/// @param system content of the system message of the chats about the document; null for none
/// @param isForChats true if the text is to begin a chat's first user message; false if it is read
///     as it is, for completions
/// @param streams true for an event stream with progress
public record DocumentRequest(
        Optional<String> model,
        Optional<String> id,
        String name,
        @Nullable String text,
        List<Integer> ids,
        @Nullable String system,
        boolean isForChats,
        boolean streams) {
    private static final Pattern ID = Pattern.compile("[A-Za-z0-9][A-Za-z0-9_.-]{0,63}");
    /// Identifiers that would be taken for paths of their own.
    private static final Set<String> RESERVED = Set.of("load");

    private static final int NAME_LENGTH = 200;

    /// @param hasTemplate true if the model has a chat template
    /// @throws ApiException if a field is wrong
    public static DocumentRequest read(Fields request, boolean hasTemplate) {
        Optional<String> text = request.text("text");
        boolean hasIds = request.has("tokens");
        if (text.isPresent() == hasIds) {
            throw ApiException.invalid(
                    "text", "give either text (a string) or tokens (an array of token ids), and not both");
        }
        if (text.isPresent() && text.get().isEmpty()
                || hasIds && request.array("tokens").isEmpty()) {
            throw ApiException.invalid(
                    hasIds ? "tokens" : "text", "the document is empty; give at least one character or token id");
        }
        boolean isForChats = request.flag("chat", hasTemplate && !hasIds);
        if (isForChats && (hasIds || !hasTemplate)) {
            throw ApiException.invalid(
                    "chat",
                    "chat is true, but " + (hasIds ? "the document is given as token ids" : "the model has no template")
                            + "; leave chat out and ask with /v1/completions");
        }
        Optional<String> system = request.text("system");
        if (system.isPresent() && !isForChats) {
            throw ApiException.invalid("system", "system is given, but the document is not for chats; leave it out");
        }
        return new DocumentRequest(
                request.text("model"),
                request.text("id").map(DocumentRequest::checkedId),
                checkedName(request.text("name").orElse("")),
                text.orElse(null),
                request.ids("tokens"),
                system.orElse(null),
                isForChats,
                request.flag("stream", false));
    }

    /// A document that is the body of a request.
    ///
    /// @throws ApiException if the text is empty
    public static DocumentRequest ofText(String text, boolean hasTemplate) {
        if (text.isEmpty()) {
            throw ApiException.invalid("text", "the request body is empty; send the text of the document");
        }
        return new DocumentRequest(Optional.empty(), Optional.empty(), "", text, List.of(), null, hasTemplate, false);
    }

    /// The request for a saved document. Its tokens are in the file of the engine.
    ///
    /// @param text has the text and the system message
    static DocumentRequest saved(Fields description, Fields text) {
        return new DocumentRequest(
                Optional.empty(),
                description.text("id"),
                description.text("name").orElse(""),
                text.text("text").orElse(null),
                List.of(),
                text.text("system").orElse(null),
                description.flag("chat", false),
                false);
    }

    /// True if a text can be the identifier of a document.
    static boolean isId(String id) {
        return ID.matcher(id).matches() && !RESERVED.contains(id);
    }

    private static String checkedId(String id) {
        if (!isId(id)) {
            throw ApiException.invalid(
                    "id",
                    "id is not usable; expected 1 to 64 letters, digits, underscores, dots and hyphens, beginning with"
                            + " a letter or digit, and other than \"load\"");
        }
        return id;
    }

    private static String checkedName(String name) {
        if (name.length() > NAME_LENGTH) {
            throw ApiException.invalid(
                    "name", "name has " + name.length() + " characters; expected at most " + NAME_LENGTH);
        }
        return name;
    }
}
