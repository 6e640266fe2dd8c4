package io.shadowkv.eval.catalog;

import io.shadowkv.eval.EvalTask;
import io.shadowkv.eval.Suite;
import io.shadowkv.eval.TaskContext;
import io.shadowkv.eval.infinitebench.InfiniteBenchSuite;
import io.shadowkv.eval.longbench.LongBenchSuite;
import io.shadowkv.eval.longbench.LongBenchV2Suite;
import io.shadowkv.eval.niah.MultiTurnNeedleSuite;
import io.shadowkv.eval.niah.NiahSuite;
import io.shadowkv.eval.ruler.RulerFileSuite;
import io.shadowkv.eval.ruler.RulerSuite;
import io.shadowkv.eval.scbench.ScBenchSuite;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/// All suites, and the tasks that a list of names means.
public final class TaskCatalog {
    /// In the order in which reports show them.
    public static final List<Suite> SUITES = List.of(
            new RulerSuite(),
            new RulerFileSuite(),
            new NiahSuite(),
            new MultiTurnNeedleSuite(),
            LongBenchSuite.STANDARD,
            LongBenchSuite.EVEN,
            LongBenchV2Suite.DIRECT,
            LongBenchV2Suite.CHAIN_OF_THOUGHT,
            new InfiniteBenchSuite(),
            new ScBenchSuite());

    private TaskCatalog() {}

    /// The names of `data` with every suite's name replaced by its tasks'.
    ///
    /// @param data names such as `ruler/vt`, `longbench` or `ruler/niah_*`
    /// @throws IllegalArgumentException if a name means no task
    public static List<String> names(List<String> data) {
        List<String> names = new ArrayList<>();
        for (String entry : data) {
            List<String> meant = SUITES.stream()
                    .flatMap(suite -> suite.tasks().stream().map(task -> suite.name() + "/" + task))
                    .filter(name -> matches(name, entry) && !names.contains(name))
                    .toList();
            if (meant.isEmpty() && names.stream().noneMatch(name -> matches(name, entry))) {
                throw new IllegalArgumentException("\"" + entry + "\" names no task; " + known(entry));
            }
            names.addAll(meant);
        }
        return names;
    }

    /// What there is instead, for a message.
    private static String known(String entry) {
        for (Suite suite : SUITES) {
            if (entry.startsWith(suite.name() + "/")) {
                return suite.name() + " has " + String.join(", ", suite.tasks());
            }
        }
        return "there are the suites " + SUITES.stream().map(Suite::name).collect(Collectors.joining(", "))
                + ", a task is written suite/task, and suite/niah_* means several. `shadowkv tasks` lists them";
    }

    private static boolean matches(String name, String entry) {
        if (entry.endsWith("*")) {
            return name.startsWith(entry.substring(0, entry.length() - 1));
        }
        return name.equals(entry) || name.startsWith(entry + "/");
    }

    /// Opens a task.
    ///
    /// @param name as [#names] gives it
    /// @throws IllegalArgumentException if there is none of the name, or it cannot be made
    public static EvalTask open(String name, TaskContext context) {
        for (Suite suite : SUITES) {
            String prefix = suite.name() + "/";
            if (name.startsWith(prefix) && suite.tasks().contains(name.substring(prefix.length()))) {
                return suite.open(name.substring(prefix.length()), context);
            }
        }
        throw new IllegalArgumentException("there is no task \"" + name + "\"");
    }
}
