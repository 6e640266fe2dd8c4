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

/// All suites, and the tasks that a list of names refers to.
///
/// In addition to the suites of this module, the catalog has those that `ServiceLoader` finds on
/// the module or class path. A private task therefore needs no change here.
public final class TaskCatalog {
    /// In the order of reports.
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

    /// Characters that are valid in logs, in folder names and in `--data`.
    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._@-]*");

    private TaskCatalog() {}

    /// Returns the suites of this module, followed by those that `ServiceLoader` finds.
    ///
    /// @throws IllegalArgumentException if a suite that was found cannot be loaded, if two have the
    ///     same name, or if a name has characters other than letters, digits, dots, underscores,
    ///     hyphens and at signs
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

    /// Expands the names in `data`: a suite's name becomes the names of its tasks.
    ///
    /// @param data names such as `ruler/vt`, `longbench` or `ruler/niah_*`
    /// @throws IllegalArgumentException if a name does not refer to any task
    public static List<String> names(List<String> data) {
        List<Suite> suites = suites();
        List<String> names = new ArrayList<>();
        for (String entry : data) {
            List<String> meant = suites.stream()
                    .flatMap(suite -> suite.tasks().stream().map(task -> suite.name() + "/" + task))
                    .filter(name -> matches(name, entry) && !names.contains(name))
                    .toList();
            if (meant.isEmpty() && names.stream().noneMatch(name -> matches(name, entry))) {
                throw new IllegalArgumentException("\"" + entry + "\" is not a task; " + known(entry, suites));
            }
            names.addAll(meant);
        }
        return names;
    }

    /// Describes the valid names, for a message.
    private static String known(String entry, List<Suite> suites) {
        for (Suite suite : suites) {
            if (entry.startsWith(suite.name() + "/")) {
                return suite.name() + " has " + String.join(", ", suite.tasks());
            }
        }
        return "the suites are " + suites.stream().map(Suite::name).collect(Collectors.joining(", "))
                + ". A task is written suite/task; suite/niah_* selects several. `shadowkv tasks` lists them";
    }

    private static boolean matches(String name, String entry) {
        if (entry.endsWith("*")) {
            return name.startsWith(entry.substring(0, entry.length() - 1));
        }
        return name.equals(entry) || name.startsWith(entry + "/");
    }

    /// Opens a task.
    ///
    /// @param name one of the names that [#names] returns
    /// @throws IllegalArgumentException if there is no such task, or it cannot be made
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
