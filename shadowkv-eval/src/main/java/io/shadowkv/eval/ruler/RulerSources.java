package io.shadowkv.eval.ruler;

import io.shadowkv.eval.TaskContext;
import io.shadowkv.eval.text.RunningText;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.zip.GZIPInputStream;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// Texts and files that the generators draw from.
final class RulerSources {
    private RulerSources() {}

    /// The running text: the file's, or the bundled King James Bible.
    ///
    /// @throws IllegalArgumentException if the file is not there, is empty, or is JSON without a field `text`
    static Essay essay(TaskContext context) {
        Path file = context.options().haystack();
        if (file == null) {
            return new Essay(String.join(" ", RunningText.kingJames().sentences()));
        }
        if (!Files.isRegularFile(file)) {
            throw new IllegalArgumentException("haystack " + file + ": no such file. Give a text file, or RULER's"
                    + " PaulGrahamEssays.json, plain or .gz");
        }
        String text = read(file);
        if (name(file).replaceFirst("\\.gz$", "").endsWith(".json")) {
            text = fieldText(file, text);
        }
        if (text.isBlank()) {
            throw new IllegalArgumentException("haystack " + file + ": holds no words. Give a file with running text");
        }
        return new Essay(text);
    }

    /// A folder's file of this name, or the same with `.gz`.
    static Path existing(Path file) {
        Path packed = file.resolveSibling(file.getFileName() + ".gz");
        return Files.isRegularFile(file) || !Files.isRegularFile(packed) ? file : packed;
    }

    static InputStream open(Path file) throws IOException {
        InputStream bytes = Files.newInputStream(file);
        return name(file).endsWith(".gz") ? new GZIPInputStream(bytes) : bytes;
    }

    private static String name(Path file) {
        return file.getFileName().toString().toLowerCase(Locale.ROOT);
    }

    private static String read(Path file) {
        try (InputStream bytes = open(file)) {
            return new String(bytes.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String fieldText(Path file, String json) {
        try {
            JsonNode text = JsonMapper.shared().readTree(json).path("text");
            if (text.isString()) {
                return text.stringValue();
            }
        } catch (JacksonException e) {
            throw new IllegalArgumentException("haystack " + file + ": is no JSON (" + e.getOriginalMessage() + ")", e);
        }
        throw new IllegalArgumentException(
                "haystack " + file + ": has no field \"text\"; expected {\"text\": \"…\"} as RULER's essays have it");
    }
}
