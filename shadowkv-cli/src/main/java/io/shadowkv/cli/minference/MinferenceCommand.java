package io.shadowkv.cli.minference;

import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/// `minference`: the group of commands for MInference's pattern files.
@Command(
        name = "minference",
        description = "Makes pattern files for --minference.",
        mixinStandardHelpOptions = true,
        subcommands = MinferenceSearchCommand.class,
        synopsisSubcommandLabel = "COMMAND",
        footer = {"", "Examples:", "  shadowkv minference search needle-32k --out needle-32k.json"})
public final class MinferenceCommand implements Runnable {
    @Spec
    private CommandSpec spec;

    @SuppressWarnings("NullAway.Init") // picocli fills the annotated fields
    private MinferenceCommand() {}

    @Override
    public void run() {
        throw new ParameterException(
                spec.commandLine(),
                "no command given; one of "
                        + String.join(", ", spec.subcommands().keySet()));
    }
}
