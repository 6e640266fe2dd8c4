package io.shadowkv.eval.needle;

import java.util.UUID;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;

/// The form of a needle's key or value.
public enum NeedleKind {
    /// Two words joined by a hyphen.
    WORDS,
    /// Seven digits.
    NUMBERS,
    /// A random (version 4) UUID.
    UUIDS;

    /// The plural in RULER's sentences: `words`, `numbers`, `uuids`.
    public String plural() {
        return name().toLowerCase(java.util.Locale.ROOT);
    }

    /// The singular in RULER's sentences.
    public String singular() {
        return plural().substring(0, plural().length() - 1);
    }

    String draw(RandomGenerator random, WordList words) {
        return draw(random, () -> words.draw(random) + "-" + words.draw(random));
    }

    /// Draws a random key or value.
    ///
    /// @param pair draws one of [#WORDS]
    public String draw(RandomGenerator random, Supplier<String> pair) {
        return switch (this) {
            case WORDS -> pair.get();
            case NUMBERS -> Integer.toString(random.nextInt(1_000_000, 10_000_000));
            case UUIDS -> uuid(random);
        };
    }

    private static String uuid(RandomGenerator random) {
        long high = random.nextLong() & ~0xF000L | 0x4000L;
        long low = random.nextLong() & 0x3FFF_FFFF_FFFF_FFFFL | 0x8000_0000_0000_0000L;
        return new UUID(high, low).toString();
    }
}
