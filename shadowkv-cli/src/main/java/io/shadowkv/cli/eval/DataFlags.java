package io.shadowkv.cli.eval;

import io.shadowkv.cli.process.TokenCount;
import io.shadowkv.cli.process.UserCache;
import io.shadowkv.eval.PromptCut;
import io.shadowkv.eval.PromptVersion;
import io.shadowkv.eval.TaskContext;
import io.shadowkv.eval.catalog.TaskCatalog;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import picocli.CommandLine.TypeConversionException;

/// The options for what to ask: tasks, lengths, samples, and the source of their texts; a mixin.
final class DataFlags {
    /// The version of RULER.
    enum RulerVersion {
        nvidia,
        shadowkv
    }

    /// The source of the prompts, for suites that have several.
    enum Prompts {
        official(PromptVersion.OFFICIAL),
        shadowkv(PromptVersion.SHADOWKV);

        private final PromptVersion version;

        Prompts(PromptVersion version) {
            this.version = version;
        }
    }

    @Spec(Spec.Target.MIXEE)
    private CommandSpec command;

    @Option(
            names = "--data",
            split = ",",
            paramLabel = "TASK",
            defaultValue = "ruler/niah_*",
            description =
                    "Tasks as suite/task; a suite alone means all of its tasks, and ruler/niah_* all tasks that begin with niah_."
                            + " `shadowkv tasks` lists them. Default: ${DEFAULT-VALUE}.")
    private List<String> data;

    @Option(
            names = "--length",
            split = ",",
            paramLabel = "TOKENS",
            converter = TokenCount.Converter.class,
            description =
                    "Tokens of prompt and answer together, such as 8k,32k; longer texts of files are cut in the middle."
                            + " Default: the model's context, at most 128k.")
    private @Nullable List<TokenCount> lengths;

    @Option(
            names = "--samples",
            paramLabel = "N",
            defaultValue = "20",
            description = "Samples per task, at most those that a file has; 150 fill the map of niah/pressure once."
                    + " Default: ${DEFAULT-VALUE}.")
    private int samples;

    @Option(
            names = "--seed",
            paramLabel = "N",
            defaultValue = "42",
            description = "Seed of generated samples. Default: ${DEFAULT-VALUE}.")
    private long seed;

    @Option(
            names = "--ruler-version",
            paramLabel = "NAME",
            defaultValue = "nvidia",
            description =
                    "RULER's version, which decides wording and filler text: ${COMPLETION-CANDIDATES}. Default: ${DEFAULT-VALUE}.")
    private RulerVersion rulerVersion;

    @Option(
            names = "--haystack",
            paramLabel = "FILE",
            description = "Running text in which needles are hidden: plain text, or JSON with a field text; may be .gz."
                    + " Default: the King James Bible.")
    private @Nullable Path haystack;

    @Option(
            names = "--data-dir",
            paramLabel = "DIR",
            description = "Folder of published files, one folder per suite: longbench/hotpotqa.jsonl, ruler/squad.json;"
                    + " `shadowkv pull --suite` puts them there."
                    + " Default: shadowkv/data in the user's cache folder.")
    private @Nullable Path dataFolder;

    @Option(
            names = "--ruler-files",
            paramLabel = "DIR",
            description = "Folder of RULER's own files, TASK/validation.jsonl, for --data ruler-file/TASK, as NVIDIA's"
                    + " scripts or `shadowkv ruler build` write them. Default: ruler-file in --data-dir.")
    private @Nullable Path rulerFiles;

    @Option(
            names = "--min-tokens",
            paramLabel = "TOKENS",
            defaultValue = "0",
            description =
                    "Use only LongBench samples with more tokens than this; the paper uses 4096. Default:" + " all.")
    private int minTokens;

    @Option(
            names = "--prompts",
            paramLabel = "NAME",
            defaultValue = "official",
            description =
                    "Prompts of LongBench and InfiniteBench: ${COMPLETION-CANDIDATES}. The paper's prompts differ in"
                            + " five tasks and in four; it has none for math_calc. Default: ${DEFAULT-VALUE}.")
    private Prompts prompts;

    @Option(
            names = "--cut",
            paramLabel = "WHERE",
            converter = CutConverter.class,
            defaultValue = "length",
            description =
                    "How prompts of LongBench and LongBench v2 that are too long are cut in the middle: length (to the"
                            + " length that --length leaves), official (to the scripts' fixed limit before the template:"
                            + " 31500 tokens at 32k and above, 15500 at 16k, 7500 at 8k, 3500 at 4k; 120000 for v2), or a"
                            + " number of tokens. Use official to compare with published scores."
                            + " Default: ${DEFAULT-VALUE}.")
    private PromptCut cut;

    @SuppressWarnings("NullAway.Init") // picocli fills the annotated fields
    DataFlags() {}

    /// Converts the argument of `--cut`.
    static final class CutConverter implements ITypeConverter<PromptCut> {
        @Override
        public PromptCut convert(String value) {
            try {
                return PromptCut.parse(value);
            } catch (IllegalArgumentException e) {
                throw new TypeConversionException(e.getMessage());
            }
        }
    }

    /// Names of the requested tasks.
    List<String> tasks() {
        try {
            return TaskCatalog.names(data);
        } catch (IllegalArgumentException e) {
            throw misuse("--data: " + e.getMessage());
        }
    }

    /// The requested lengths.
    ///
    /// @param contextTokens context length of the model
    List<Integer> lengths(int contextTokens) {
        if (lengths == null) {
            return List.of(Math.min(contextTokens, 128 << 10));
        }
        List<Integer> asked = new ArrayList<>();
        for (TokenCount length : lengths) {
            if (length.tokens() > contextTokens) {
                throw misuse(String.format(
                        "--length is %,d; the model's context is %,d tokens. Give a smaller length",
                        length.tokens(), contextTokens));
            }
            asked.add(length.tokens());
        }
        return asked;
    }

    int samples() {
        if (samples < 1) {
            throw misuse("--samples is " + samples + "; expected 1 or more");
        }
        return samples;
    }

    long seed() {
        return seed;
    }

    TaskContext.Options options() {
        if (minTokens < 0) {
            throw misuse("--min-tokens is " + minTokens + "; expected 0 or more");
        }
        if (haystack != null && !Files.isRegularFile(haystack)) {
            throw misuse("--haystack " + haystack + ": " + (Files.exists(haystack) ? "is not a file" : "no such file")
                    + "; expected a file with running text at " + absolute(haystack));
        }
        var options = new TaskContext.Options(rulerVersion.name(), haystack, UserCache.data(dataFolder))
                .withFiles(new TaskContext.FileRules(minTokens, prompts.version, cut));
        return rulerFiles == null ? options : options.withRulerFiles(rulerFiles);
    }

    /// The settings that change answers and are not part of their keys.
    Map<String, String> settings() {
        Map<String, String> settings = new LinkedHashMap<>();
        settings.put("ruler_version", rulerVersion.name());
        settings.put("haystack", haystack == null ? "king-james" : absolute(haystack));
        if (dataFolder != null) {
            settings.put("data_dir", absolute(dataFolder));
        }
        if (rulerFiles != null) {
            settings.put("ruler_files", absolute(rulerFiles));
        }
        if (minTokens > 0) {
            settings.put("min_tokens", Integer.toString(minTokens));
        }
        if (prompts != Prompts.official) {
            settings.put("prompts", prompts.name());
        }
        if (!cut.equals(PromptCut.TO_LENGTH)) {
            settings.put("cut", cut.toString());
        }
        return settings;
    }

    /// The absolute path, so that settings do not depend on the current folder.
    private static String absolute(Path path) {
        return path.toAbsolutePath().normalize().toString();
    }

    private ParameterException misuse(String message) {
        return new ParameterException(command.commandLine(), message);
    }
}
