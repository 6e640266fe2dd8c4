package io.shadowkv.cli.eval;

import io.shadowkv.eval.Suite;
import io.shadowkv.eval.TaskCatalog;
import java.io.PrintWriter;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/// `tasks`: what `eval` can ask.
@Command(
        name = "tasks",
        description = "Lists the suites and tasks that `eval --data` takes.",
        mixinStandardHelpOptions = true,
        footer = {"", "Examples:", "  shadowkv tasks"})
public final class TasksCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @SuppressWarnings("NullAway.Init") // picocli fills the annotated fields
    private TasksCommand() {}

    @Override
    public Integer call() {
        PrintWriter out = spec.commandLine().getOut();
        for (Suite suite : TaskCatalog.SUITES) {
            suite.tasks().forEach(task -> out.println(suite.name() + "/" + task));
        }
        out.flush();
        return 0;
    }
}
