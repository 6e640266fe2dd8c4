package io.shadowkv.cli.ruler;

import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/// `ruler`: the group of commands for RULER's files.
@Command(
        name = "ruler",
        description = "Creates files of RULER's 13 tasks.",
        mixinStandardHelpOptions = true,
        subcommands = RulerBuildCommand.class,
        synopsisSubcommandLabel = "COMMAND",
        footer = {"", "Examples:", "  shadowkv ruler build --length 32k --out data/needle-32k"})
public final class RulerCommand implements Runnable {
    @Spec
    private CommandSpec spec;

    @SuppressWarnings("NullAway.Init") // picocli fills the annotated fields
    private RulerCommand() {}

    @Override
    public void run() {
        throw new ParameterException(
                spec.commandLine(),
                "no command given; one of "
                        + String.join(", ", spec.subcommands().keySet()));
    }
}
