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
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.ServiceConfigurationError;
import java.util.ServiceLoader;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/// All suites, and the tasks that a list of names means.
///
/// Besides the suites of this module, those that `ServiceLoader` finds on the module or class path belong to
/// the catalog, so that a private task needs no change here.
public final class TaskCatalog {
    /// In the order in which reports show them.
    private static final List<Suite> BUILT_IN = List.of(
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

    /// What logs, folders and `--data` can carry.
    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._@-]*");

    private TaskCatalog() {}

    /// The suites of this module, then those that `ServiceLoader` finds.
    ///
    /// @throws IllegalArgumentException if a suite that was found cannot be loaded, if two have the same
    ///     name, or if a name has characters other than letters, digits, dots, underscores, hyphens and at
    ///     signs
    public static List<Suite> suites() {
        Map<String, Suite> suites = new LinkedHashMap<>();
        BUILT_IN.forEach(suite -> suites.put(suite.name(), suite));
        try {
            for (Suite found : ServiceLoader.load(Suite.class)) {
                checkNames(found);
                Suite other = suites.putIfAbsent(found.name(), found);
                if (other != null) {
                    throw new IllegalArgumentException("%s and %s both name their suite \"%s\". Rename one of them"
                            .formatted(
                                    other.getClass().getName(), found.getClass().getName(), found.name()));
                }
            }
        } catch (ServiceConfigurationError e) {
            throw new IllegalArgumentException(
                    "a suite on the module or class path cannot be loaded (" + e.getMessage()
                            + "). Check the provider's module-info or META-INF/services/" + Suite.class.getName(),
                    e);
        }
        return List.copyOf(suites.values());
    }

    private static void checkNames(Suite suite) {
        List<String> names = new ArrayList<>(suite.tasks());
        names.addFirst(suite.name());
        for (String name : names) {
            if (!NAME.matcher(name).matches()) {
                throw new IllegalArgumentException(
                        "%s names a suite or task \"%s\"; a name has letters, digits and any of . _ - @"
                                .formatted(suite.getClass().getName(), name));
            }
        }
    }

    /// The names of `data` with every suite's name replaced by its tasks'.
    ///
    /// @param data names such as `ruler/vt`, `longbench` or `ruler/niah_*`
    /// @throws IllegalArgumentException if a name means no task
    public static List<String> names(List<String> data) {
        List<Suite> suites = suites();
        List<String> names = new ArrayList<>();
        for (String entry : data) {
            List<String> meant = suites.stream()
                    .flatMap(suite -> suite.tasks().stream().map(task -> suite.name() + "/" + task))
                    .filter(name -> matches(name, entry) && !names.contains(name))
                    .toList();
            if (meant.isEmpty() && names.stream().noneMatch(name -> matches(name, entry))) {
                throw new IllegalArgumentException("\"" + entry + "\" names no task; " + known(entry, suites));
            }
            names.addAll(meant);
        }
        return names;
    }

    /// What there is instead, for a message.
    private static String known(String entry, List<Suite> suites) {
        for (Suite suite : suites) {
            if (entry.startsWith(suite.name() + "/")) {
                return suite.name() + " has " + String.join(", ", suite.tasks());
            }
        }
        return "there are the suites " + suites.stream().map(Suite::name).collect(Collectors.joining(", "))
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
        for (Suite suite : suites()) {
            String prefix = suite.name() + "/";
            if (name.startsWith(prefix) && suite.tasks().contains(name.substring(prefix.length()))) {
                return suite.open(name.substring(prefix.length()), context);
            }
        }
        throw new IllegalArgumentException("there is no task \"" + name + "\"");
    }
}
