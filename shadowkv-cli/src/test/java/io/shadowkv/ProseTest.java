package io.shadowkv;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Checks the words and the line width of the project's prose: documents, comments, help texts and
/// messages.
class ProseTest {
    private static final int WIDTH = 100;

    /// Words that a sentence must not contain, and what to write instead.
    private static final Map<Pattern, String> WORDS = Map.ofEntries(
            word("near the arithmetic", "in device memory"),
            word("not to be had", "is not available"),
            word(
                    "(?<!\\bthere )\\b(is|are|was|were) no (?!longer|more\\b|less\\b|fewer|later|earlier|better|worse"
                            + "|larger|smaller|slower|faster|shorter|older|newer|higher|lower)",
                    "is not a ..., has no ..."),
            word("\\bwhoever\\b", "the caller must ..."),
            word("(?<!those |people |users |anyone )\\bwho wants? to\\b", "to ..."),
            word("\\bbeside\\b", "next to, in addition to, at the same time as"),
            word("as measured for this project|measured for the issue", "measured on DEVICE (date, commit)"),
            word("command line that cannot be meant", "usage error"),
            word("\\bthe issue\\b(?! tracker)|\\bof the design\\b|\\bthe design's\\b", "name a file of the repository"),
            Map.entry(Pattern.compile("\\b(STYLE|TARGETS)\\b(?! *=)|REVIEW\\.md"), "name a file of the repository"),
            word("(\\.\\./){2}data\\b|\\.\\./shared\\b", "name a file of the repository"));

    /// The host of a registry, or a path of one machine. Code must not contain them either.
    private static final Map<Pattern, String> PLACES = Map.ofEntries(
            word("\\b(repo\\d*|registry(-\\d)?|proxy|index)\\.(\\w+\\.)*(org|com|io|dev)\\b", "no registry's host"),
            word("\\b(pypi|crates|pythonhosted|npmjs)\\.(org|io|com)\\b", "no registry's host"),
            word("(?<![\\w./}$)-])/(work|root)/\\w", "no path of one machine"));

    /// A string, a text block, a character, or a comment of Java, CUDA or a shell.
    private static final Pattern TEXT_OF_JAVA = Pattern.compile(
            "(?s)\"\"\".*?(?<!\\\\)\"\"\"|\"(?:\\\\.|[^\"\\\\\\n])*+\"|'(?:\\\\.|[^'\\\\\\n])*+'|//[^\\n]*|/\\*.*?\\*/");

    private static final Pattern TEXT_OF_SHELL = Pattern.compile("(?m)(?<=^|\\s)#.*$|\"(?:\\\\.|[^\"\\\\])*+\"");

    private static Map.Entry<Pattern, String> word(String pattern, String instead) {
        return Map.entry(Pattern.compile(pattern, Pattern.CASE_INSENSITIVE), instead);
    }

    @Test
    void documentsUseTheWords() throws IOException {
        List<Path> documents = files(".md");
        assertThat(documents).hasSizeGreaterThan(10);
        List<String> faults = new ArrayList<>();
        for (Path file : documents) {
            String text = Files.readString(file);
            faults.addAll(faults(file, withoutCode(text), WORDS));
            faults.addAll(faults(file, text, PLACES));
        }
        assertThat(faults).isEmpty();
    }

    @Test
    void sourcesUseTheWords() throws IOException {
        List<Path> sources = files(".java", ".cu", ".cuh", ".sh", "Containerfile", "shadowkv");
        assertThat(sources).hasSizeGreaterThan(700);
        List<String> faults = new ArrayList<>();
        for (Path file : sources) {
            String text = Files.readString(file);
            boolean shell = file.toString().matches(".*(\\.sh|Containerfile|shadowkv)");
            faults.addAll(faults(file, prose(text, shell ? TEXT_OF_SHELL : TEXT_OF_JAVA), WORDS));
            faults.addAll(faults(file, text, PLACES));
        }
        assertThat(faults).isEmpty();
    }

    /// The texts and the code of the server's page. uPlot is not ours.
    @Test
    void thePageUsesTheWords() throws IOException {
        Path folder = Fixtures.repository().resolve("shadowkv-server/src/main/resources/io/shadowkv/server/page");
        List<Path> sources;
        try (Stream<Path> all = Files.list(folder)) {
            sources = all.filter(file -> !file.getFileName().toString().startsWith("uPlot"))
                    .toList();
        }
        assertThat(sources).hasSizeGreaterThan(10);
        List<String> faults = new ArrayList<>();
        for (Path file : sources) {
            faults.addAll(faults(file, Files.readString(file), WORDS));
            faults.addAll(faults(file, Files.readString(file), PLACES));
        }
        assertThat(faults).isEmpty();
    }

    @Test
    void documentsAreWrapped() throws IOException {
        List<String> faults = new ArrayList<>();
        for (Path file : files(".md")) {
            String[] lines = withoutCode(Files.readString(file)).split("\n", -1);
            for (int i = 0; i < lines.length; i++) {
                String line = lines[i].replaceAll("\\]\\([^)]*\\)", "]");
                if (!line.startsWith("|") && line.codePointCount(0, line.length()) > WIDTH) {
                    faults.add(Fixtures.repository().relativize(file) + ":" + (i + 1) + ": longer than " + WIDTH);
                }
            }
        }
        assertThat(faults).isEmpty();
    }

    /// Files of the repository that a document names must exist.
    @Test
    void linksOfDocumentsLeadToFiles() throws IOException {
        var link = Pattern.compile("\\]\\((?!https?:|#|mailto:)([^)#\\s]+)[^)]*\\)|`((?:docs|device|dist|examples"
                + "|testdata|deploy|models)/[\\w./-]+)`");
        List<String> faults = new ArrayList<>();
        int links = 0;
        for (Path file : files(".md")) {
            Matcher matcher = link.matcher(Files.readString(file));
            while (matcher.find()) {
                Path target = matcher.group(1) != null
                        ? file.resolveSibling(matcher.group(1))
                        : Fixtures.repository().resolve(matcher.group(2));
                links++;
                if (!Files.exists(target) && !target.toString().contains("...")) {
                    faults.add(Fixtures.repository().relativize(file) + ": there is no " + matcher.group());
                }
            }
        }
        assertThat(faults).isEmpty();
        assertThat(links).isGreaterThan(20);
    }

    /// The tour names files by their path below a section's folder, such as `op/DenseOperations`.
    @Test
    void theTourLeadsThroughFiles() throws IOException {
        List<Path> roots = Stream.of("text", "core", "cpu", "cuda", "eval")
                .map(module -> Fixtures.repository().resolve("shadowkv-" + module + "/src/main/java/io/shadowkv"))
                .toList();
        Matcher matcher = Pattern.compile("`(?!device/)((?:[a-z]+/)+[A-Za-z]+)(?:\\.\\w+)?`")
                .matcher(Files.readString(Fixtures.repository().resolve("docs/TOUR.md")));
        List<String> stops = new ArrayList<>();
        List<String> lost = new ArrayList<>();
        while (matcher.find()) {
            String stop = matcher.group(1);
            stops.add(stop);
            if (roots.stream()
                    .noneMatch(root ->
                            Files.exists(root.resolve(stop + ".java")) || Files.isDirectory(root.resolve(stop)))) {
                lost.add(stop);
            }
        }
        assertThat(lost).isEmpty();
        assertThat(stops).hasSizeGreaterThan(80);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "/// Values lie near the\n    /// arithmetic.",
                "String s = \"this is no model\";",
                "// Whoever closes it last",
                "/* rebuilt beside\n * the fetch */",
                "var help = \"\"\"\n    see TARGETS\n    \"\"\";",
                "/// tables of\n/// the design",
            })
    void findsAWordInAComment(String source) {
        assertThat(faults(Path.of("A.java"), prose(source, TEXT_OF_JAVA), WORDS))
                .hasSize(1);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "int beside = 0; // there is no room, and it is no longer tried",
                "case '\"' -> beside(); // besides",
                "static final int TARGETS = 1;",
            })
    void leavesCodeAndOtherSensesAlone(String source) {
        assertThat(faults(Path.of("A.java"), prose(source, TEXT_OF_JAVA), WORDS))
                .isEmpty();
    }

    private static List<String> faults(Path file, String text, Map<Pattern, String> words) {
        List<String> faults = new ArrayList<>();
        // One line, so that a phrase is found across lines.
        String line = text.replaceAll("(?m)^[ \\t]*(///?|\\*|#)(?=\\s|$)", " ");
        String flat = line.replaceAll("\\s+", " ");
        words.forEach((pattern, instead) -> {
            Matcher matcher = pattern.matcher(flat);
            while (matcher.find()) {
                int from = Math.max(0, matcher.start() - 40);
                int to = Math.min(flat.length(), matcher.end() + 40);
                faults.add(file + ": \"..." + flat.substring(from, to) + "...\" instead of \"" + matcher.group()
                        + "\" write: " + instead);
            }
        });
        return faults;
    }

    /// The comments and strings of a source, one per line, without the code.
    private static String prose(String source, Pattern texts) {
        var prose = new StringBuilder();
        Matcher matcher = texts.matcher(source);
        while (matcher.find()) {
            prose.append(matcher.group().replaceFirst("^(///?|/\\*+|#)", "")).append('\n');
        }
        return prose.toString();
    }

    /// A document with its fenced code blanked; lines keep their numbers.
    private static String withoutCode(String document) {
        var kept = new StringBuilder();
        boolean code = false;
        for (String line : document.split("\n", -1)) {
            boolean fence = line.strip().startsWith("```");
            kept.append(code || fence ? "" : line).append('\n');
            code ^= fence;
        }
        return kept.toString();
    }

    /// False for generated files: those in `target`, and in folders whose names begin with a dot.
    private static boolean isWritten(Path relative) {
        for (Path name : relative) {
            if (name.toString().equals("target") || name.toString().startsWith(".")) {
                return false;
            }
        }
        return true;
    }

    private static List<Path> files(String... endings) throws IOException {
        Path repository = Fixtures.repository();
        try (Stream<Path> files = Files.walk(repository)) {
            return files.filter(file ->
                            Stream.of(endings).anyMatch(file.getFileName().toString()::endsWith))
                    .filter(Files::isRegularFile)
                    .filter(file -> isWritten(repository.relativize(file)))
                    // ProseTest itself contains the words.
                    .filter(file -> !file.endsWith("ProseTest.java"))
                    .sorted()
                    .toList();
        }
    }
}
