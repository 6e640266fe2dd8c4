package io.shadowkv.cli.eval;

import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// Chooses the model, as the first argument or by option; a mixin.
final class ModelFlag {
    /// The bundled model.
    private static final String USUAL = "needle-32k";

    @Spec(Spec.Target.MIXEE)
    private CommandSpec command;

    @Parameters(
            index = "0",
            arity = "0..1",
            paramLabel = "MODEL",
            description =
                    "A bundled model, a folder, a GGUF file, or ORG/NAME of a pulled model. Default: " + USUAL + ".")
    private @Nullable String first;

    @Option(names = "--model", paramLabel = "MODEL", description = "The model as an option.")
    private @Nullable String option;

    @SuppressWarnings("NullAway.Init") // picocli fills the annotated fields
    ModelFlag() {}

    String name() {
        if (first != null && option != null) {
            throw new ParameterException(
                    command.commandLine(), "two models are given, " + first + " and --model " + option + "; give one");
        }
        String given = first != null ? first : option;
        return given == null ? USUAL : given;
    }
}
