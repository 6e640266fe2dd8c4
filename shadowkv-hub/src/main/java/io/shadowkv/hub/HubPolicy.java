package io.shadowkv.hub;

import java.time.Duration;

/// The retries and time limits of the hub client.
///
/// @param attempts consecutive attempts without progress before it gives up
/// @param firstPause pause after the first failure; doubles after each further one
/// @param answerLimit maximum time until a response begins
/// @param stallLimit maximum time without data in the middle of a response
record HubPolicy(int attempts, Duration firstPause, Duration answerLimit, Duration stallLimit) {
    static final HubPolicy DEFAULT =
            new HubPolicy(5, Duration.ofMillis(500), Duration.ofSeconds(30), Duration.ofSeconds(60));

    private static final Duration LONGEST_PAUSE = Duration.ofSeconds(60);

    /// Waits before the next attempt after `failures` consecutive failures, at least as long as the
    /// server asked for.
    void pause(int failures, Duration asked) throws InterruptedException {
        Duration own = firstPause.multipliedBy(1L << Math.min(failures - 1, 10));
        Duration wait = own.compareTo(asked) < 0 ? asked : own;
        Thread.sleep(wait.compareTo(LONGEST_PAUSE) < 0 ? wait : LONGEST_PAUSE);
    }
}
