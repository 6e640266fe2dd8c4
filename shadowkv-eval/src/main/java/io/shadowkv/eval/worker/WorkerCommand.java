package io.shadowkv.eval.worker;

import java.time.Duration;
import java.util.List;

/// How to start a worker.
///
/// @param name what messages call it, such as `worker 0`
/// @param command the program and its arguments
/// @param readyWithin time to load the model in
/// @param silentWithin how long it may say nothing, not even that it is alive, when asked
/// @param endWithin time to end in when its input has ended, before it is killed
public record WorkerCommand(
        String name, List<String> command, Duration readyWithin, Duration silentWithin, Duration endWithin) {
    /// Twelve times what a worker takes to say that it is alive.
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
