package io.shadowkv.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import io.shadowkv.Fixtures;
import io.shadowkv.cli.process.Surroundings;
import io.shadowkv.engine.Cancellation;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;

/// Every example in the README, in the documents and in the help texts is a valid command line.
class ExamplesTest {
    private static final Pattern WORD = Pattern.compile("\"([^\"]*)\"|(\\S+)");

    private static CommandLine commandLine() {
        var surroundings = new Surroundings(
                Map.of(), Optional.of(Fixtures.repository()), InputStream.nullInputStream(), false, false, List.of());
        return ShadowKvCommand.commandLine(surroundings, new Cancellation());
    }

    @Test
    void ofTheReadme() throws IOException {
        List<String> examples = Files.readAllLines(Fixtures.repository().resolve("README.md")).stream()
                .filter(line -> line.matches("(cat \\S+ \\| |source <\\()?\\./shadowkv .*"))
                .filter(line -> !line.startsWith("./shadowkv test") && !line.contains("COMMAND"))
                .toList();
        assertThat(examples).hasSizeGreaterThan(8);
        examples.forEach(ExamplesTest::isUnderstood);
    }

    @Test
    void ofTheDocuments() throws IOException {
        List<String> examples = new ArrayList<>();
        for (String name : List.of("ACCURACY", "BENCHMARKS", "SPARK")) {
            Files.readString(Fixtures.repository().resolve("docs/" + name + ".md"))
                    .replaceAll("\\\\\n +", "")
                    .lines()
                    .filter(line -> line.matches("(\\./shadowkv|device/cli\\.sh) .*"))
                    .map(line ->
                            line.replaceFirst("^device/cli\\.sh", "./shadowkv").replace("'", "\""))
                    .forEach(examples::add);
        }
        assertThat(examples).hasSizeGreaterThan(6);
        examples.forEach(ExamplesTest::isUnderstood);
    }

    @Test
    void ofTheHelp() {
        List<String> examples = commandLine().getSubcommands().values().stream()
                .flatMap(command -> Stream.concat(Stream.of(command), command.getSubcommands().values().stream()))
                .flatMap(command ->
                        Stream.of(command.getCommandSpec().usageMessage().footer()))
                .filter(line -> line.matches(" .*\\bshadowkv .*"))
                .map(line -> line.replace("%%", "%"))
                .toList();
        assertThat(examples).hasSizeGreaterThan(20);
        examples.forEach(ExamplesTest::isUnderstood);
    }

    private static void isUnderstood(String example) {
        // Removes what the shell processes: the source of a pipe, a redirection, a comment, and a
        // remark in parentheses.
        String command = example.replaceFirst("<\\((.*?)\\)", "$1")
                .replaceFirst(".*?shadowkv ", "")
                .replaceFirst(" (#|>) .*| {2,}.*", "");
        List<String> words = new ArrayList<>();
        Matcher matcher = WORD.matcher(command);
        while (matcher.find()) {
            words.add(matcher.group(1) != null ? matcher.group(1) : matcher.group(2));
        }
        // The text of the bundled model's example is in the repository.
        int file = words.indexOf("--file");
        if (words.contains("needle-32k") && file > 0) {
            assertThat(Fixtures.repository().resolve(words.get(file + 1)))
                    .as(example)
                    .isRegularFile();
        }
        assertThatCode(() -> commandLine().parseArgs(words.toArray(String[]::new)))
                .as(example)
                .doesNotThrowAnyException();
    }
}
