package io.shadowkv.cli.option;

import io.shadowkv.cache.KvCacheSpec;
import java.util.List;
import java.util.function.Supplier;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/// Options that choose how keys and values are stored; a mixin of several commands.
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
            description = "${COMPLETION-CANDIDATES}. full reads all keys and values at each step; shadowkv stores"
                    + " low-rank keys and fetches few values. Default: ${DEFAULT-VALUE}.")
    private Method method;

    @Mixin
    private ShadowFlags shadow;

    @SuppressWarnings("NullAway.Init") // picocli fills the annotated fields
    public CacheFlags() {}

    /// The requested strategy.
    ///
    /// @throws ParameterException if a value is out of range, or the method does not have the
    ///     parameter
    public KvCacheSpec spec() {
        if (method == Method.shadowkv) {
            return shadow();
        }
        List<String> idle = shadow.given();
        if (!idle.isEmpty()) {
            throw new ParameterException(
                    command.commandLine(),
                    String.join(", ", idle)
                            + " given with --method full, which has no such parameter; leave it out or use"
                            + " --method shadowkv");
        }
        return new KvCacheSpec.Full();
    }

    /// ShadowKV with the given parameters, regardless of `--method`.
    public KvCacheSpec.Shadow shadow() {
        return shadow.spec(command);
    }

    /// Creates a record from option values; a value that its constructor refuses is a usage error.
    public static <T> T checked(CommandSpec command, Supplier<T> constructor) {
        try {
            return constructor.get();
        } catch (IllegalArgumentException e) {
            throw new ParameterException(command.commandLine(), String.valueOf(e.getMessage()), e);
        }
    }
}
