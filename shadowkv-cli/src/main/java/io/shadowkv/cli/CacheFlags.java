package io.shadowkv.cli;

import io.shadowkv.cache.KvCacheSpec;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/// Options that choose how keys and values are kept; a mixin of several commands.
public final class CacheFlags {
    /// The strategies by name.
    public enum Method {
        full,
        shadowkv
    }

    @Spec(Spec.Target.MIXEE)
    private CommandSpec command;

    @Option(
            names = "--method",
            defaultValue = "shadowkv",
            description = "${COMPLETION-CANDIDATES}. full reads every key and value at each step; shadowkv keeps"
                    + " low-rank keys, fetches few values. Default: ${DEFAULT-VALUE}.")
    private Method method;

    @Option(
            names = "--rank",
            paramLabel = "N",
            description = "shadowkv: columns kept of the key factorisation. Default: 160.")
    private @Nullable Integer rank;

    @Option(names = "--chunk-size", paramLabel = "N", description = "shadowkv: tokens selected together. Default: 8.")
    private @Nullable Integer chunkSize;

    @Option(
            names = "--budget",
            paramLabel = "TOKENS",
            description = "shadowkv: tokens selected per step and key-value head, a multiple of the chunk size."
                    + " Default: 2048.")
    private @Nullable Integer budget;

    @Option(
            names = "--outliers",
            paramLabel = "CHUNKS",
            description = "shadowkv: chunks per key-value head that stay whole. Default: 48.")
    private @Nullable Integer outliers;

    @Option(
            names = "--local-tokens",
            paramLabel = "TOKENS",
            description = "shadowkv: newest tokens that always stay whole, a multiple of the chunk size. Default: 32.")
    private @Nullable Integer localTokens;

    @Option(
            names = "--generated-tokens",
            paramLabel = "TOKENS",
            description = "shadowkv: further new tokens that stay whole until they join the index, a multiple of the"
                    + " chunk size. Default: 256.")
    private @Nullable Integer generatedTokens;

    @SuppressWarnings("NullAway.Init") // picocli fills the annotated fields
    public CacheFlags() {}

    /// The strategy asked for.
    ///
    /// @throws ParameterException if a value is out of range, or given for a method that does not have it
    public KvCacheSpec spec() {
        if (method == Method.shadowkv) {
            return shadow();
        }
        List<String> idle = new ArrayList<>();
        note(idle, "--rank", rank);
        note(idle, "--chunk-size", chunkSize);
        note(idle, "--budget", budget);
        note(idle, "--outliers", outliers);
        note(idle, "--local-tokens", localTokens);
        note(idle, "--generated-tokens", generatedTokens);
        if (!idle.isEmpty()) {
            throw new ParameterException(
                    command.commandLine(),
                    String.join(", ", idle)
                            + " given with --method full, which has no such parameter; leave it out or use"
                            + " --method shadowkv");
        }
        return new KvCacheSpec.Full();
    }

    /// ShadowKV with the parameters given, whatever `--method` says.
    public KvCacheSpec.Shadow shadow() {
        KvCacheSpec.Shadow paper = KvCacheSpec.Shadow.DEFAULT;
        return checked(
                command,
                () -> new KvCacheSpec.Shadow(
                        or(rank, paper.rank()),
                        or(chunkSize, paper.chunkSize()),
                        or(budget, paper.sparseBudget()),
                        or(outliers, paper.outlierChunks()),
                        or(localTokens, paper.localTokens()),
                        or(generatedTokens, paper.generatedTokens())));
    }

    /// Builds a record from option values; what its constructor refuses is a usage error.
    static <T> T checked(CommandSpec command, Supplier<T> constructor) {
        try {
            return constructor.get();
        } catch (IllegalArgumentException e) {
            throw new ParameterException(command.commandLine(), String.valueOf(e.getMessage()), e);
        }
    }

    private static int or(@Nullable Integer given, int otherwise) {
        return given == null ? otherwise : given;
    }

    private static void note(List<String> names, String name, @Nullable Integer given) {
        if (given != null) {
            names.add(name);
        }
    }
}
