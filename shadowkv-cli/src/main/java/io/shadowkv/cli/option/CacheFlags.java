package io.shadowkv.cli.option;

import io.shadowkv.cache.KvCacheSpec;
import java.util.List;
import java.util.function.Supplier;
import picocli.CommandLine.Mixin;
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

    @Mixin
    private ShadowFlags shadow;

    @SuppressWarnings("NullAway.Init") // picocli fills the annotated fields
    public CacheFlags() {}

    /// The strategy asked for.
    ///
    /// @throws ParameterException if a value is out of range, or given for a method that does not have it
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

    /// ShadowKV with the parameters given, whatever `--method` says.
    public KvCacheSpec.Shadow shadow() {
        return shadow.spec(command);
    }

    /// Builds a record from option values; what its constructor refuses is a usage error.
    public static <T> T checked(CommandSpec command, Supplier<T> constructor) {
        try {
            return constructor.get();
        } catch (IllegalArgumentException e) {
            throw new ParameterException(command.commandLine(), String.valueOf(e.getMessage()), e);
        }
    }
}
