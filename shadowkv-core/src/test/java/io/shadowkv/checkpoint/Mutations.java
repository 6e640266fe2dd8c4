package io.shadowkv.checkpoint;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.random.RandomGenerator;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;

/// Seeded damage: what a bad disk, a cut transfer or an attacker does to files and JSON texts.
final class Mutations {
    private static final Pattern TOKEN =
            Pattern.compile("\"[^\"\\\\]*+(?:\\\\.[^\"\\\\]*+)*+\"|-?[0-9.eE+]+|[{}\\[\\],:]|true|false|null");

    private static final List<String> TOKENS = List.of(
            "-1",
            "0",
            "1e999999999",
            "-1e-999999999",
            "9223372036854775807",
            "9223372036854775808",
            "4294967296",
            "2147483648",
            "0.5",
            "NaN",
            "-Infinity",
            "null",
            "true",
            "[]",
            "{}",
            "[[]]",
            "\"\"",
            "\"\\ud800\"",
            "\"\\u0000\"",
            "\"F8_E4M3\"",
            "\"BF16\"",
            "\"__metadata__\"",
            "\"../../x\"",
            ",",
            ":",
            "}",
            "{",
            "]",
            "\"",
            "\\",
            "\uFEFF",
            "/**/",
            "9".repeat(5_000),
            "[".repeat(3_000),
            "{\"a\":".repeat(3_000),
            "\"" + "x".repeat(60_000) + "\"");

    private final RandomGenerator random;

    Mutations(RandomGenerator random) {
        this.random = random;
    }

    /// One to four mutations of raw bytes.
    byte[] bytes(byte[] original) {
        byte[] bytes = original.clone();
        for (int i = random.nextInt(1, 5); i > 0 && bytes.length > 0; i--) {
            bytes = one(bytes);
        }
        return bytes;
    }

    private byte[] one(byte[] bytes) {
        int at = random.nextInt(bytes.length);
        int to = random.nextInt(at, bytes.length);
        switch (random.nextInt(6)) {
            case 0 -> bytes[at] ^= (byte) (1 << random.nextInt(8));
            case 1 -> bytes[at] = (byte) random.nextInt();
            case 2 -> {
                return Arrays.copyOf(bytes, at);
            }
            case 3 -> {
                return Arrays.copyOf(bytes, bytes.length + random.nextInt(1, 200));
            }
            case 4 -> {
                return join(Arrays.copyOf(bytes, at), Arrays.copyOfRange(bytes, to, bytes.length));
            }
            default -> {
                return join(Arrays.copyOf(bytes, to), Arrays.copyOfRange(bytes, at, bytes.length));
            }
        }
        return bytes;
    }

    /// One to three replacements, exchanges or removals of whole JSON tokens.
    String json(String original) {
        String text = original;
        for (int i = random.nextInt(1, 4); i > 0; i--) {
            List<MatchResult> tokens = TOKEN.matcher(text).results().toList();
            if (tokens.isEmpty()) {
                return text;
            }
            MatchResult token = tokens.get(random.nextInt(tokens.size()));
            String by = switch (random.nextInt(4)) {
                case 0 -> "";
                case 1 -> tokens.get(random.nextInt(tokens.size())).group();
                case 2 -> token.group() + token.group();
                default -> TOKENS.get(random.nextInt(TOKENS.size()));
            };
            text = text.substring(0, token.start()) + by + text.substring(token.end());
        }
        return text;
    }

    /// A safetensors file with a mutated header whose length prefix fits again, so that the damage reaches the
    /// checks.
    byte[] header(byte[] file) {
        ByteBuffer buffer = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN);
        int length = (int) buffer.getLong(0);
        String header = new String(file, 8, length, StandardCharsets.UTF_8);
        byte[] mutated = json(header).getBytes(StandardCharsets.UTF_8);
        byte[] prefix = ByteBuffer.allocate(8)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(mutated.length)
                .array();
        return join(join(prefix, mutated), Arrays.copyOfRange(file, 8 + length, file.length));
    }

    /// A safetensors file whose length prefix lies.
    byte[] length(byte[] file) {
        List<Long> lies = new ArrayList<>(List.of(
                0L,
                1L,
                -1L,
                Long.MAX_VALUE,
                Long.MIN_VALUE,
                100_000_000L,
                99_999_999L,
                (long) file.length,
                file.length - 8L,
                file.length - 7L,
                random.nextLong(),
                (long) random.nextInt(file.length)));
        byte[] bytes = file.clone();
        ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).putLong(0, lies.get(random.nextInt(lies.size())));
        return bytes;
    }

    private static byte[] join(byte[] first, byte[] second) {
        byte[] joined = Arrays.copyOf(first, first.length + second.length);
        System.arraycopy(second, 0, joined, first.length, second.length);
        return joined;
    }
}
