package io.shadowkv.eval.catalog;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shadowkv.eval.Contexts;
import io.shadowkv.eval.EvalTask;
import io.shadowkv.eval.Sample;
import io.shadowkv.eval.Suite;
import io.shadowkv.eval.TaskContext;
import java.io.IOException;
import java.net.MalformedURLException;
import java.net.URI;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Suites of another jar, found by `ServiceLoader`.
class TaskCatalogTest {
    @TempDir
    Path jar;

    /// The suite of another jar.
    public static class Capitals implements Suite {
        @Override
        public String name() {
            return "capitals";
        }

        @Override
        public List<String> tasks() {
            return List.of("europe", "asia");
        }

        @Override
        public String description() {
            return "capitals of countries";
        }

        @Override
        public EvalTask open(String task, TaskContext context) {
            checkTask(task);
            return new EvalTask() {
                @Override
                public String name() {
                    return "capitals/" + task;
                }

                @Override
                public int size() {
                    return 1;
                }

                @Override
                public Sample sample(int index) {
                    var turn =
                            new Sample.Turn("Of France?", "Of France?", "", List.of("Paris"), 4, List.of(), List.of());
                    return new Sample(name(), index, List.of(turn));
                }
            };
        }
    }

    /// Has the name of another suite.
    public static final class SecondRuler extends Capitals {
        @Override
        public String name() {
            return "ruler";
        }
    }

    /// Has a name that is not valid in a list of tasks.
    public static final class Slashed extends Capitals {
        @Override
        public List<String> tasks() {
            return List.of("a/b");
        }
    }

    /// Has no constructor without parameters.
    public static final class Parametrised extends Capitals {
        public Parametrised(String ignored) {}
    }

    private <T> T with(String provider, Supplier<T> asked) throws IOException {
        Path services = Files.createDirectories(jar.resolve("META-INF/services"));
        Files.writeString(services.resolve(Suite.class.getName()), provider + "\n");
        Thread thread = Thread.currentThread();
        ClassLoader before = thread.getContextClassLoader();
        try (var loader = new URLClassLoader(new URL[] {url()}, before)) {
            thread.setContextClassLoader(loader);
            return asked.get();
        } finally {
            thread.setContextClassLoader(before);
        }
    }

    private URL url() throws MalformedURLException {
        URI folder = jar.toUri();
        return folder.toURL();
    }

    @Test
    void aSuiteOfAnotherJarFollowsTheBuiltInOnes() throws IOException {
        List<Suite> ours = TaskCatalog.suites();
        List<Suite> suites = with(Capitals.class.getName(), TaskCatalog::suites);
        assertThat(suites).hasSize(ours.size() + 1);
        assertThat(suites.getLast()).isInstanceOf(Capitals.class);
        assertThat(suites)
                .extracting(Suite::name)
                .startsWith("ruler", "ruler-file", "niah")
                .endsWith("capitals");
    }

    @Test
    void itsTasksAreNamedAndOpenedLikeBuiltInOnes() throws IOException {
        assertThat(with(Capitals.class.getName(), () -> TaskCatalog.names(List.of("capitals", "ruler/vt"))))
                .containsExactly("capitals/europe", "capitals/asia", "ruler/vt");
        EvalTask task =
                with(Capitals.class.getName(), () -> TaskCatalog.open("capitals/asia", Contexts.plain(100, jar)));
        assertThat(task.sample(0).turns().getFirst().references()).containsExactly("Paris");
        assertThatThrownBy(() -> with(Capitals.class.getName(), () -> TaskCatalog.names(List.of("capitals/africa"))))
                .hasMessageContaining("\"capitals/africa\" is not a task; capitals has europe, asia");
        assertThatThrownBy(() -> TaskCatalog.names(List.of("capitals"))).hasMessageContaining("is not a task");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "SecondRuler | both name their suite \"ruler\". Rename one of them",
                "Slashed | names a suite or task \"a/b\"; a name has letters, digits",
                "Parametrised | cannot be loaded",
                "Absent | Check the provider's module-info or META-INF/services/io.shadowkv.eval.Suite",
            })
    void aSuiteThatCannotBeAddedIsRefusedWithTheReason(String provider, String reason) {
        assertThatThrownBy(() -> with(TaskCatalogTest.class.getName() + "$" + provider, TaskCatalog::suites))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(provider)
                .hasMessageContaining(reason);
    }
}
