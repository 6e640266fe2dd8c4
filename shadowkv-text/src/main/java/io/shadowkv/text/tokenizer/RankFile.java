package io.shadowkv.text.tokenizer;

import io.shadowkv.text.TokenizerException;
import io.shadowkv.text.Vocabulary;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Base64;
import java.util.HashMap;
import java.util.Map;

/// Reads tiktoken's files of ranked byte pairs: lines of base64(token bytes), a blank, and the
/// rank.
///
/// @param file the file that was read, for messages
/// @param ranks rank by token; each char of a key is one byte
record RankFile(Path file, Map<String, Integer> ranks) {
    /// True if the first line looks like a line of a rank file (a SentencePiece file begins with a
    /// control character).
    static boolean isRankFile(byte[] bytes) {
        int end = 0;
        while (end < bytes.length && end < 4096 && bytes[end] != '\n') {
            end++;
        }
        return new String(bytes, 0, end, StandardCharsets.ISO_8859_1).strip().matches("[A-Za-z0-9+/]+=* +\\d+");
    }

    /// @throws TokenizerException if a line is malformed, a rank occurs twice, or a single byte has
    ///     no rank
    static RankFile read(byte[] bytes, Path file) {
        Map<String, Integer> ranks = new HashMap<>();
        Map<Integer, String> tokens = new HashMap<>();
        int number = 0;
        for (String line : new String(bytes, StandardCharsets.ISO_8859_1).split("\n")) {
            number++;
            if (line.isBlank()) {
                continue;
            }
            try {
                String[] fields = line.strip().split(" +");
                String token = new String(Base64.getDecoder().decode(fields[0]), StandardCharsets.ISO_8859_1);
                int rank = Integer.parseInt(fields[1]);
                if (fields.length != 2 || rank < 0 || rank > Vocabulary.HIGHEST_ID || token.isEmpty()) {
                    throw new IllegalArgumentException("not a token and its rank");
                }
                if (ranks.put(token, rank) != null || tokens.put(rank, token) != null) {
                    throw new IllegalArgumentException("the token or its rank occurred before");
                }
            } catch (IllegalArgumentException | ArrayIndexOutOfBoundsException e) {
                String found = line.substring(0, Math.min(80, line.length())).strip();
                throw new TokenizerException(
                        file + ": line " + number + " is \"" + found + "\" (" + e.getMessage()
                                + "); expected base64, a blank and a unique rank. Download the file again",
                        e);
            }
        }
        for (char value = 0; value < 256; value++) {
            if (!ranks.containsKey(String.valueOf(value))) {
                throw new TokenizerException(file + ": has no rank for the single byte 0x" + Integer.toHexString(value)
                        + " among its " + ranks.size() + " tokens. Download the file again");
            }
        }
        return new RankFile(file, Map.copyOf(ranks));
    }
}
