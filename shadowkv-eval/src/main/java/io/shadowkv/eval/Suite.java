package io.shadowkv.eval;

import java.util.List;

/// A family of tasks under one name, such as `ruler`.
///
/// A suite of another module or jar joins [io.shadowkv.eval.catalog.TaskCatalog] as a service: its module says
/// `provides io.shadowkv.eval.Suite with …`, or its jar has a file `META-INF/services/io.shadowkv.eval.Suite`.
/// The class then needs a public constructor without parameters.
public interface Suite {
    /// What stands before the slash in its tasks' names.
    String name();

    /// Its tasks' names, without the suite's, in the order of its source.
    List<String> tasks();

    /// What its tasks ask and which files they read, in one line for `shadowkv tasks`; empty for none.
    default String description() {
        return "";
    }

    /// Refuses a name that is none of [#tasks()], and says which there are.
    ///
    /// @throws IllegalArgumentException if there is no such task
    default void checkTask(String task) {
        if (!tasks().contains(task)) {
            throw new IllegalArgumentException(
                    name() + " has no task \"" + task + "\"; it has " + String.join(", ", tasks()));
        }
    }

    /// Opens a task.
    ///
    /// @param task one of [#tasks()]
    /// @throws IllegalArgumentException if it cannot be made from what there is: the message says what is
    ///     missing and where it was looked for
    EvalTask open(String task, TaskContext context);
}
