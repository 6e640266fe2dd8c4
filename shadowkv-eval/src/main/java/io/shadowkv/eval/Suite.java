package io.shadowkv.eval;

import java.util.List;

/// A family of tasks under one name, such as `ruler`.
///
/// A suite of another module or jar is added to the catalog as a service: its module declares
/// `provides io.shadowkv.eval.Suite with …`, or its jar has a file
/// `META-INF/services/io.shadowkv.eval.Suite`. The class then needs a public constructor without
/// parameters.
public interface Suite {
    /// The name before the slash in the names of its tasks.
    String name();

    /// The names of its tasks without the suite's name, in the order of the source.
    List<String> tasks();

    /// What its tasks ask and which files they read, in one line for `shadowkv tasks`; may be
    /// empty.
    default String description() {
        return "";
    }

    /// Checks that `task` is one of [#tasks()].
    ///
    /// @throws IllegalArgumentException if there is no such task; the message lists the tasks
    default void checkTask(String task) {
        if (!tasks().contains(task)) {
            throw new IllegalArgumentException(
                    name() + " has no task \"" + task + "\"; it has " + String.join(", ", tasks()));
        }
    }

    /// Opens a task.
    ///
    /// @param task one of [#tasks()]
    /// @throws IllegalArgumentException if the task cannot be made: the message says what is
    ///     missing and where it was expected
    EvalTask open(String task, TaskContext context);
}
