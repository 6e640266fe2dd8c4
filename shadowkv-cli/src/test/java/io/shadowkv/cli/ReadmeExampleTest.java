package io.shadowkv.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.shadowkv.Fixtures;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The README's Java program, compiled and run as it stands there.
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
        String readme = Files.readString(Fixtures.repository().resolve("README.md"));
        int marker = readme.indexOf("<!-- library-example -->");
        int start = readme.indexOf("```java\n", marker) + "```java\n".length();
        Path source = folder.resolve("Example.java");
        Files.writeString(source, readme.substring(start, readme.indexOf("```", start)));
        Process process = new ProcessBuilder(List.of(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "--add-modules",
                        "jdk.incubator.vector",
                        "--enable-native-access=ALL-UNNAMED",
                        "--class-path",
                        System.getProperty("java.class.path"),
                        source.toString(),
                        Fixtures.needleModel().toString(),
                        QUESTION))
                .redirectError(folder.resolve("errors").toFile())
                .start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
        assertThat(process.exitValue())
                .as(Files.readString(folder.resolve("errors")))
                .isZero();
        assertThat(output).contains("4071523");
    }
}
