package io.shadowkv.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/// Says whether the tests of the page in a browser run, because they need one.
class BrowserTestCountTest {
    @Test
    void saysHowManyClassesNeedABrowser() throws Exception {
        Path folder = Path.of(BrowserTestCountTest.class
                        .getProtectionDomain()
                        .getCodeSource()
                        .getLocation()
                        .toURI())
                .resolve("io/shadowkv/server");
        List<String> classes;
        try (Stream<Path> files = Files.list(folder)) {
            classes = files.map(file -> file.getFileName().toString())
                    .filter(name -> name.endsWith(".class") && !name.contains("$"))
                    .filter(name -> needsBrowser(folder.resolve(name)))
                    .map(name -> name.replace(".class", ""))
                    .sorted()
                    .toList();
        }
        System.out.printf(
                "shadowkv-server: %d browser test classes %s%n",
                classes.size(),
                Boolean.getBoolean("shadowkv.browser")
                        ? "run by themselves (execution browser-tests)"
                        : "not run here: install chromium and chromium-driver, and run ./shadowkv test -Pbrowser");
        assertThat(classes).contains("PageTest", "PageStatesTest", "PageAccessTest");
    }

    private static boolean needsBrowser(Path file) {
        String name = file.getFileName().toString().replace(".class", "");
        try {
            return Files.size(file) > 0
                    && Class.forName("io.shadowkv.server." + name, false, BrowserTestCountTest.class.getClassLoader())
                            .isAnnotationPresent(BrowserTest.class);
        } catch (ClassNotFoundException e) {
            throw new AssertionError(name + " was listed but cannot be loaded", e);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
