package io.shadowkv.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import io.shadowkv.op.BackendProvider.BackendOptions;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/// Prints how many test classes do not run on a machine without a GPU, so that none is left out
/// silently.
class GpuTestCountTest {
    private static final Path DEVICE_FILE = Path.of("/dev/nvidiactl");

    @Test
    void saysHowManyClassesNeedADevice() throws IOException, URISyntaxException {
        List<String> classes = classes().stream()
                .filter(type -> type.isAnnotationPresent(GpuTest.class))
                .map(Class::getSimpleName)
                .toList();
        var availability = new CudaBackendProvider().availability(BackendOptions.DEFAULT);
        System.out.printf(
                "shadowkv-cuda: %d GPU test classes %s: %s%n",
                classes.size(),
                Files.exists(DEVICE_FILE) ? "run by themselves (execution gpu-tests)" : "not run here",
                availability.reason());
        assertThat(classes).contains("CudaFloatTest", "CudaBf16Test");
    }

    /// The test classes of this module.
    private static List<Class<?>> classes() throws IOException, URISyntaxException {
        Path folder = Path.of(GpuTestCountTest.class
                .getProtectionDomain()
                .getCodeSource()
                .getLocation()
                .toURI());
        try (Stream<Path> files = Files.walk(folder)) {
            return files.map(file -> folder.relativize(file).toString())
                    .filter(file -> file.endsWith(".class"))
                    .map(file -> file.replaceFirst("\\.class$", "").replace('/', '.'))
                    .<Class<?>>map(GpuTestCountTest::load)
                    .toList();
        }
    }

    private static Class<?> load(String name) {
        try {
            return Class.forName(name, false, GpuTestCountTest.class.getClassLoader());
        } catch (ClassNotFoundException e) {
            throw new AssertionError(name + " was listed but cannot be loaded", e);
        }
    }
}
