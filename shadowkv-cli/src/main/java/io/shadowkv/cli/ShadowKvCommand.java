package io.shadowkv.cli;

import io.shadowkv.cli.bench.BenchCommand;
import io.shadowkv.cli.demo.DemoCommand;
import io.shadowkv.cli.eval.EvalCommand;
import io.shadowkv.cli.eval.ReportCommand;
import io.shadowkv.cli.eval.SweepCommand;
import io.shadowkv.cli.eval.TasksCommand;
import io.shadowkv.cli.model.BackendsCommand;
import io.shadowkv.cli.model.InspectCommand;
import io.shadowkv.cli.model.LogitsCommand;
import io.shadowkv.cli.model.TokenizeCommand;
import io.shadowkv.cli.process.Failures;
import io.shadowkv.cli.process.Program;
import io.shadowkv.cli.process.Surroundings;
import io.shadowkv.cli.pull.PullCommand;
import io.shadowkv.cli.ruler.RulerCommand;
import io.shadowkv.cli.run.RunCommand;
import io.shadowkv.engine.Cancellation;
import java.lang.module.ModuleDescriptor;
import java.util.Optional;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;
import picocli.CommandLine;

/// The root command, `shadowkv`: holds what all commands share.
@Command(
        name = "shadowkv",
        description = "Runs long-context language models with ShadowKV or full attention.",
        mixinStandardHelpOptions = true,
        versionProvider = ShadowKvCommand.Version.class,
        synopsisSubcommandLabel = "COMMAND",
        footer = {
            "",
            "First steps:",
            "  shadowkv demo                                 see both methods at work",
            "  shadowkv run needle-32k --file long.txt       a bundled model",
            "  shadowkv COMMAND --help                       every option, with examples"
        },
        subcommands = {
            RunCommand.class,
            PullCommand.class,
            InspectCommand.class,
            TokenizeCommand.class,
            LogitsCommand.class,
            BackendsCommand.class,
            DemoCommand.class,
            EvalCommand.class,
            SweepCommand.class,
            TasksCommand.class,
            RulerCommand.class,
            ReportCommand.class,
            BenchCommand.class
        })
public final class ShadowKvCommand implements Program, Runnable {
    private final Surroundings surroundings;
    private final Cancellation cancellation;

    @Spec
    private CommandSpec spec;

    @Option(names = "--debug", scope = ScopeType.INHERIT, description = "Show a stack trace where something fails.")
    private boolean debug;

    @SuppressWarnings("NullAway.Init") // picocli fills the annotated fields
    private ShadowKvCommand(Surroundings surroundings, Cancellation cancellation) {
        this.surroundings = surroundings;
        this.cancellation = cancellation;
    }

    /// The command line, ready to execute.
    ///
    /// @param cancellation ends a running command early, keeping what it has
    public static CommandLine commandLine(Surroundings surroundings, Cancellation cancellation) {
        var line = new CommandLine(new ShadowKvCommand(surroundings, cancellation));
        line.setCaseInsensitiveEnumValuesAllowed(true);
        line.setUsageHelpAutoWidth(true);
        line.setParameterExceptionHandler(Failures::usage);
        line.setExecutionExceptionHandler(Failures::failure);
        return line;
    }

    @Override
    public Surroundings surroundings() {
        return surroundings;
    }

    @Override
    public Cancellation cancellation() {
        return cancellation;
    }

    @Override
    public boolean isDebug() {
        return debug;
    }

    @Override
    public void run() {
        throw new ParameterException(
                spec.commandLine(),
                "no command given; one of "
                        + String.join(", ", spec.subcommands().keySet()));
    }

    /// The module's version.
    static final class Version implements CommandLine.IVersionProvider {
        @Override
        public String[] getVersion() {
            ModuleDescriptor module = ShadowKvCommand.class.getModule().getDescriptor();
            // On a class path there is no module.
            Optional<String> version = module == null ? Optional.empty() : module.rawVersion();
            return new String[] {"shadowkv " + version.orElse("(built from sources)")};
        }
    }
}
