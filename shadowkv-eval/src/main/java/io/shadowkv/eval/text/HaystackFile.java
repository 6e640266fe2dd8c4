package io.shadowkv.eval.text;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.MappingIterator;

/// The long text that needles are hidden in.
public final class HaystackFile {
    private HaystackFile() {}

    /// Reads a file, or the bundled King James Bible.
    ///
    /// @param file plain text in UTF-8, or JSON objects with a field `text`, one after the other;
    ///     either may be compressed (`.gz`); null for the bundled text
    /// @throws IllegalArgumentException if the file does not exist or has no text
    /// @throws UncheckedIOException if it cannot be read
    public static String read(@Nullable Path file) {
        if (file == null) {
            return String.join(" ", RunningText.kingJames().sentences());
        }
        if (!Files.isRegularFile(file)) {
            throw new IllegalArgumentException("the haystack " + file.toAbsolutePath() + " does not exist. Name a long"
                    + " text (plain, or JSON with a field \"text\"; may be a .gz file), or none for the bundled one");
        }
        try (InputStream bytes = PackedFile.open(file)) {
            String content = new String(bytes.readAllBytes(), StandardCharsets.UTF_8);
            String text = content.stripLeading().startsWith("{") ? fields(content, file) : content;
            if (text.isBlank()) {
                throw new IllegalArgumentException("the haystack " + file.toAbsolutePath() + " has no text");
            }
            return text;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String fields(String content, Path file) {
        StringBuilder text = new StringBuilder();
        try (MappingIterator<JsonNode> documents =
                LargeJson.MAPPER.readerFor(JsonNode.class).readValues(content)) {
            while (documents.hasNext()) {
                JsonNode field = documents.next().path("text");
                if (!field.isString()) {
                    throw new IllegalArgumentException("the haystack " + file.toAbsolutePath()
                            + " is JSON without a string \"text\" in every object; expected {\"text\": \"...\"}");
                }
                text.append(field.stringValue());
            }
        } catch (JacksonException e) {
            throw new IllegalArgumentException(
                    "the haystack " + file.toAbsolutePath() + " begins like JSON but is not JSON ("
                            + e.getOriginalMessage() + ")",
                    e);
        }
        return text.toString();
    }
}
