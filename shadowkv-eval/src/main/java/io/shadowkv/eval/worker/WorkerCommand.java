package io.shadowkv.eval.worker;

import java.time.Duration;
import java.util.List;

/// How to start a worker.
///
/// @param name name in messages, such as `worker 0`
/// @param command the program and its arguments
/// @param readyWithin time limit for loading the model
/// @param silentWithin maximum time without any message after a request
/// @param endWithin time to end after its input has ended, before it is killed
public record WorkerCommand(
        String name, List<String> command, Duration readyWithin, Duration silentWithin, Duration endWithin) {
    /// Twelve times the interval of a worker's `alive` messages.
    private static final Duration USUAL_SILENCE = Duration.ofMinutes(2);

    public WorkerCommand {
        if (command.isEmpty()) {
            throw new IllegalArgumentException(name + " has no command; give the program that answers");
        }
        command = List.copyOf(command);
    }

    public WorkerCommand(String name, List<String> command, Duration readyWithin) {
        this(name, command, readyWithin, USUAL_SILENCE, Duration.ofSeconds(5));
    }
}
