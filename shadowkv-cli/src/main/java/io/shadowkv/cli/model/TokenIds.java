package io.shadowkv.cli.model;

import io.shadowkv.cli.process.UserFile;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// Reads and checks token ids from the user.
final class TokenIds {
    private static final JsonMapper STRICT = JsonMapper.builder()
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();

    private TokenIds() {}

    /// Reads a file that contains a JSON array of whole numbers.
    ///
    /// @throws IllegalArgumentException if the file contains anything else
    static int[] read(Path file) throws IOException {
        JsonNode root;
        try {
            root = STRICT.readTree(UserFile.bytes(file));
        } catch (JacksonException e) {
            throw new IllegalArgumentException(
                    file + ": not valid JSON: " + e.getOriginalMessage()
                            + "; expected an array of token ids such as [1, 15, 7]",
                    e);
        }
        if (!root.isArray()) {
            throw new IllegalArgumentException(
                    file + ": holds " + described(root) + "; expected an array of token ids such as [1, 15, 7]");
        }
        if (root.isEmpty()) {
            throw new IllegalArgumentException(file + ": the array of token ids is empty; give at least one id");
        }
        int[] ids = new int[root.size()];
        for (int i = 0; i < ids.length; i++) {
            JsonNode element = root.get(i);
            if (!element.isIntegralNumber() || !element.canConvertToInt()) {
                throw new IllegalArgumentException(file + ": element " + i + " is " + described(element)
                        + "; expected a token id, a whole number");
            }
            ids[i] = element.intValue();
        }
        return ids;
    }

    /// Parses ids of an argument or standard input: numbers separated by commas or blanks, with or
    /// without brackets.
    static int[] parse(String text) {
        String inner = text.strip();
        if (inner.startsWith("[") && inner.endsWith("]")) {
            inner = inner.substring(1, inner.length() - 1).strip();
        }
        if (inner.isEmpty()) {
            return new int[0];
        }
        return Arrays.stream(inner.split("\\s*[,\\s]\\s*"))
                .mapToInt(TokenIds::number)
                .toArray();
    }

    private static int number(String word) {
        try {
            return Integer.parseInt(word);
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException(
                    "'" + word + "' is not a token id; expected whole numbers separated by commas, such as 1,15,7", e);
        }
    }

    /// Refuses ids outside the vocabulary.
    static int[] check(int[] ids, int vocabularySize, String source) {
        for (int i = 0; i < ids.length; i++) {
            if (ids[i] < 0 || ids[i] >= vocabularySize) {
                throw new IllegalArgumentException(source + ": id " + ids[i] + " at position " + i
                        + " is not in the vocabulary; expected 0 to " + (vocabularySize - 1));
            }
        }
        return ids;
    }

    private static String described(JsonNode node) {
        String text = node.toString();
        return text.length() <= 60 ? text : text.substring(0, 60) + "…";
    }
}
