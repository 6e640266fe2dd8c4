package io.shadowkv.eval.worker;

import java.time.Duration;
import java.util.List;

/// How to start a worker.
///
/// @param name what messages call it, such as `worker 0`
/// @param command the program and its arguments
/// @param readyWithin time to load the model in
/// @param endWithin time to end in when its input has ended, before it is killed
public record WorkerCommand(String name, List<String> command, Duration readyWithin, Duration endWithin) {
    public WorkerCommand {
        if (command.isEmpty()) {
            throw new IllegalArgumentException(name + " has no command; give the program that answers");
        }
        command = List.copyOf(command);
    }

    public WorkerCommand(String name, List<String> command, Duration readyWithin) {
        this(name, command, readyWithin, Duration.ofSeconds(5));
    }
}
