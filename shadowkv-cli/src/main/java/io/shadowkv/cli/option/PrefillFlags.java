package io.shadowkv.cli.option;

import io.shadowkv.cache.prefill.HeadPatterns;
import io.shadowkv.cache.prefill.PrefillSpec;
import io.shadowkv.cli.process.TokenCount;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/// Options that choose which keys the rows of a prompt attend to; a mixin. A command that compares
/// methods takes several.
public final class PrefillFlags {
    /// Kinds of prefill by name.
    public enum Kind {
        exact,
        blocks,
        minference
    }

    /// The value of `--minference` without a file.
    private static final String NO_FILE = "";

    @Spec(Spec.Target.MIXEE)
    private CommandSpec command;

    @Option(
            names = "--prefill",
            split = ",",
            paramLabel = "NAME",
            description = "How a prompt is read: ${COMPLETION-CANDIDATES}. exact attends to all keys; blocks to the key"
                    + " blocks that each block of 128 rows selects; minference to a pattern of each head, which the"
                    + " host computes. Default: exact.")
    private List<Kind> kinds = List.of();

    @Option(
            names = "--prefill-threshold",
            split = ",",
            paramLabel = "SHARE",
            description = "blocks: keep the key blocks whose score is at least this share of the highest, 0 (all) to 1."
                    + " Default: 0.1.")
    private List<Double> thresholds = List.of();

    @Option(
            names = "--prefill-means",
            description = "blocks: count a dropped key block as its mean key and mean value.")
    private boolean means;

    @Option(
            names = "--prefill-from",
            paramLabel = "TOKENS",
            converter = TokenCount.Converter.class,
            description = "blocks, minference: read a shorter context exactly. Default: 4096.")
    private @Nullable TokenCount from;

    @Option(
            names = "--minference",
            arity = "0..1",
            fallbackValue = NO_FILE,
            paramLabel = "FILE",
            description = "Read with minference, with the patterns of FILE as MInference publishes them. Without FILE,"
                    + " every head has the usual pattern.")
    private @Nullable Path patterns;

    @Option(
            names = "--minference-original",
            description = "minference: estimate without dividing by the square root of the head dim, as the ShadowKV"
                    + " authors' copy does.")
    private boolean original;

    @SuppressWarnings("NullAway.Init") // picocli fills the annotated fields
    public PrefillFlags() {}

    /// The requested way to read.
    ///
    /// @throws ParameterException if there are several, or a value is out of range
    public PrefillSpec spec() {
        List<PrefillSpec> specs = specs();
        if (specs.size() > 1) {
            throw usage("--prefill names " + specs.size() + " ways to read; this command reads in one way. Give one, or"
                    + " compare them with eval");
        }
        return specs.getFirst();
    }

    /// The requested ways to read, in the order given.
    ///
    /// @throws ParameterException if a value is out of range, or no given kind has the parameter
    public List<PrefillSpec> specs() {
        Set<Kind> asked = new LinkedHashSet<>(kinds);
        if (patterns != null) {
            asked.add(Kind.minference);
        }
        if (asked.isEmpty()) {
            asked.add(Kind.exact);
        }
        checkIdle(asked.contains(Kind.blocks), "blocks", !thresholds.isEmpty(), "--prefill-threshold");
        checkIdle(asked.contains(Kind.blocks), "blocks", means, "--prefill-means");
        checkIdle(asked.contains(Kind.minference), "minference", original, "--minference-original");
        checkIdle(
                asked.contains(Kind.blocks) || asked.contains(Kind.minference),
                "blocks or minference",
                from != null,
                "--prefill-from");
        return CacheFlags.checked(command, () -> specs(asked));
    }

    private List<PrefillSpec> specs(Set<Kind> asked) {
        List<PrefillSpec> specs = new ArrayList<>();
        for (Kind kind : asked) {
            switch (kind) {
                case exact -> specs.add(new PrefillSpec.Exact());
                case blocks -> {
                    PrefillSpec.Blocks usual = PrefillSpec.Blocks.DEFAULT
                            .withCountsDropped(means)
                            .withMinTokens(least(PrefillSpec.Blocks.DEFAULT.minTokens()));
                    (thresholds.isEmpty() ? List.of(usual.threshold()) : thresholds)
                            .forEach(threshold -> specs.add(usual.withThreshold(threshold)));
                }
                case minference ->
                    specs.add(new PrefillSpec.MInference(
                            patterns == null || patterns.toString().equals(NO_FILE)
                                    ? HeadPatterns.usual()
                                    : HeadPatterns.read(patterns),
                            !original,
                            least(PrefillSpec.MInference.MIN_TOKENS)));
            }
        }
        return specs;
    }

    private int least(int usual) {
        return from == null ? usual : from.tokens();
    }

    private void checkIdle(boolean isUsed, String kind, boolean isGiven, String option) {
        if (isGiven && !isUsed) {
            throw usage(option + " is given without --prefill " + kind + ", which it belongs to; leave it out or add"
                    + " the kind");
        }
    }

    private ParameterException usage(String message) {
        return new ParameterException(command.commandLine(), message);
    }
}
