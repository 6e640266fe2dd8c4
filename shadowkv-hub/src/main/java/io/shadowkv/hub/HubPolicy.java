package io.shadowkv.hub;

import java.time.Duration;

/// How patient the hub client is.
///
/// @param attempts tries in a row that bring nothing before it gives up
/// @param firstPause wait after the first failure; doubles with each further one
/// @param answerLimit longest wait for the start of an answer
/// @param stallLimit longest silence in the middle of an answer
record HubPolicy(int attempts, Duration firstPause, Duration answerLimit, Duration stallLimit) {
    static final HubPolicy DEFAULT =
            new HubPolicy(5, Duration.ofMillis(500), Duration.ofSeconds(30), Duration.ofSeconds(60));

    private static final Duration LONGEST_PAUSE = Duration.ofSeconds(60);

    /// Waits before the next try after `failures` failures in a row, at least as long as the server asked for.
    void pause(int failures, Duration asked) throws InterruptedException {
        Duration own = firstPause.multipliedBy(1L << Math.min(failures - 1, 10));
        Duration wait = own.compareTo(asked) < 0 ? asked : own;
        Thread.sleep(wait.compareTo(LONGEST_PAUSE) < 0 ? wait : LONGEST_PAUSE);
    }
}
