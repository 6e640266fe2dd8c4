package io.shadowkv.eval.ruler;

import io.shadowkv.Fixtures;
import io.shadowkv.eval.BlankTokenizer;
import io.shadowkv.eval.PromptFormat;
import io.shadowkv.eval.TaskContext;
import io.shadowkv.text.Tokenizer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// Rows that the original generators wrote, and the sources they were made from.
final class Goldens {
    static final Path FOLDER = Fixtures.golden("text").resolve("ruler");

    private Goldens() {}

    /// Creates a data folder with the sources, as a user would; the essay is next to it as plain
    /// text.
    static Path dataFolder(Path folder) {
        try {
            Path ruler = Files.createDirectories(folder.resolve("ruler"));
            for (var copy : Map.of(
                            "source_squad.json", "squad.json",
                            "source_hotpotqa.json", "hotpotqa.json",
                            "source_wordlists.json", "wordlists.json")
                    .entrySet()) {
                Files.copy(
                        FOLDER.resolve(copy.getKey()),
                        ruler.resolve(copy.getValue()),
                        StandardCopyOption.REPLACE_EXISTING);
            }
            Files.writeString(
                    folder.resolve("essay.txt"),
                    json(FOLDER.resolve("source_essay.json")).get("essay").stringValue());
            return folder;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static TaskContext context(Path dataFolder, String version, String template, int tokens) {
        Tokenizer tokenizer = new BlankTokenizer();
        return new TaskContext(
                tokenizer,
                PromptFormat.named(template, tokenizer),
                tokens,
                42,
                new TaskContext.Options(version, dataFolder.resolve("essay.txt"), dataFolder));
    }

    static RulerTask task(Path dataFolder, String task, String version, String template, int tokens) {
        return new RulerSuite().open(task, context(dataFolder, version, template, tokens));
    }

    static JsonNode json(Path file) {
        return JsonMapper.shared().readTree(file.toFile());
    }

    static List<JsonNode> lines(String name) {
        try (Stream<String> lines = Files.lines(FOLDER.resolve(name))) {
            return lines.map(line -> JsonMapper.shared().readTree(line)).toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static List<String> texts(JsonNode array) {
        return array.valueStream().map(JsonNode::asString).toList();
    }
}
