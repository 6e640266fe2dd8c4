package io.shadowkv.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.shadowkv.Fixtures;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What the README says to a Java programmer: its program, compiled and run as it stands there, and what to add.
class ReadmeExampleTest {
    private static final String QUESTION =
            "A special magic number is hidden within the following text. Make sure to memorize"
                    + " it. I will quiz you about the number afterwards.\nThe grass is green. The sky is blue. The sun is yellow. Here we"
                    + " go. There and back again.\nOne of the special magic numbers for early-dawn is: 4071523.\nThe grass is green. The"
                    + " sky is blue. The sun is yellow. Here we go. There and back again.\nWhat is the special magic number for"
                    + " early-dawn mentioned in the provided text?";

    @TempDir
    Path folder;

    @Test
    void compilesRunsAndAnswers() throws IOException, InterruptedException {
        String readme = readme();
        int marker = readme.indexOf("<!-- library-example -->");
        int start = readme.indexOf("```java\n", marker) + "```java\n".length();
        Path source = folder.resolve("Example.java");
        Files.writeString(source, readme.substring(start, readme.indexOf("```", start)));
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(List.of(options("the class path").split(" ")));
        command.addAll(List.of(
                "--class-path",
                System.getProperty("java.class.path"),
                source.toString(),
                Fixtures.needleModel().toString(),
                QUESTION));
        Process process = new ProcessBuilder(command)
                .redirectError(folder.resolve("errors").toFile())
                .start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
        assertThat(process.exitValue())
                .as(Files.readString(folder.resolve("errors")))
                .isZero();
        assertThat(output).contains("4071523");
    }

    @Test
    void theModulesOfTheModulePathExist() throws IOException {
        String options = options("the module path");
        assertThat(options).startsWith("--enable-native-access=io.shadowkv.");
        List<String> ours = Pattern.compile("io\\.shadowkv\\.(\\w+)")
                .matcher(options)
                .results()
                .map(result -> result.group(1))
                .toList();
        assertThat(ours)
                .contains("text", "core", "cpu", "cuda")
                .allSatisfy(module -> assertThat(
                                Fixtures.repository().resolve("shadowkv-" + module + "/src/main/java/module-info.java"))
                        .content()
                        .contains("module io.shadowkv." + module + " {"));
    }

    @Test
    void theCoordinatesAreTheBuilds() throws IOException {
        String readme = readme();
        Matcher dependency = Pattern.compile(
                        "<groupId>(.*?)</groupId>\\s*<artifactId>(.*?)</artifactId>\\s*" + "<version>(.*?)</version>")
                .matcher(readme);
        List<String> artifacts = new ArrayList<>();
        while (dependency.find()) {
            artifacts.add(dependency.group(2));
            if (!dependency.group(1).equals("io.shadowkv")) {
                assertThat(Fixtures.repository().resolve("shadowkv-spark/pom.xml"))
                        .as("the evaluation's tests on Spark run with that version")
                        .content()
                        .contains("<artifactId>%s</artifactId><version>%s</version>"
                                .formatted(dependency.group(2), dependency.group(3)));
                continue;
            }
            assertThat(Fixtures.repository().resolve(dependency.group(2) + "/pom.xml"))
                    .content()
                    .contains("<groupId>" + dependency.group(1) + "</groupId>")
                    .contains("<artifactId>" + dependency.group(2) + "</artifactId>")
                    .contains("<version>" + dependency.group(3) + "</version>");
        }
        assertThat(artifacts).containsExactly("shadowkv-core", "shadowkv-cpu", "jackson-annotations");
    }

    private static String readme() throws IOException {
        return Files.readString(Fixtures.repository().resolve("README.md"));
    }

    /// The options of the JVM that the README gives for an application on `path`.
    private static String options(String path) throws IOException {
        Matcher row = Pattern.compile("(?m)^\\| " + path + " \\| `(.*)` \\|$").matcher(readme());
        assertThat(row.find()).as("a row for " + path).isTrue();
        return row.group(1);
    }
}
