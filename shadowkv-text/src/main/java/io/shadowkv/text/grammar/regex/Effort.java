package io.shadowkv.text.grammar.regex;

/// Counts the steps of compiling, and ends it at a limit. A schema from a client has one for all its
/// patterns, so that the time and the memory of a compilation are bounded. Used by one thread.
///
/// A step is a state or an edge that is made or visited.
public final class Effort {
    /// One to two seconds. The most expensive format, an e-mail address, needs a tenth of them.
    public static final long MOST_STEPS = 25_000_000;

    private final long limit;
    private long steps;

    private Effort(long limit) {
        this.limit = limit;
    }

    /// An effort of at most [#MOST_STEPS].
    public static Effort limited() {
        return new Effort(MOST_STEPS);
    }

    /// An effort of at most `limit` steps.
    public static Effort limited(long limit) {
        return new Effort(limit);
    }

    /// @throws RegexException if the limit is exceeded
    void spend(long more) {
        steps += more;
        if (steps > limit) {
            throw new RegexException("compiling needs more than " + "%,d".formatted(limit)
                    + " steps for all patterns of the schema together");
        }
    }
}
