package io.shadowkv.cli;

import io.shadowkv.cli.bench.BenchCommand;
import io.shadowkv.cli.calibrate.CalibrateCommand;
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
import io.shadowkv.cli.process.StandardStreamException;
import io.shadowkv.cli.process.Surroundings;
import io.shadowkv.cli.pull.PullCommand;
import io.shadowkv.cli.ruler.RulerCommand;
import io.shadowkv.cli.run.AnswerCommand;
import io.shadowkv.cli.run.RunCommand;
import io.shadowkv.cli.serve.ServeCommand;
import io.shadowkv.cli.serve.Settings;
import io.shadowkv.engine.Cancellation;
import java.io.IOException;
import java.io.InputStream;
import java.util.jar.Manifest;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExecutionException;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;

/// The root command, `shadowkv`, with what all commands share.
@Command(
        name = "shadowkv",
        description = "Runs long-context language models with ShadowKV or full attention.",
        mixinStandardHelpOptions = true,
        versionProvider = ShadowKvCommand.Version.class,
        synopsisSubcommandLabel = "COMMAND",
        footer = {
            "",
            "First steps:",
            "  shadowkv demo                                          compare both methods",
            "  shadowkv run needle-32k --file examples/needle.txt     a bundled model",
            "  shadowkv serve                                         an HTTP server for clients of OpenAI's API",
            "  shadowkv COMMAND --help                                every option, with examples"
        },
        subcommands = {
            RunCommand.class,
            AnswerCommand.class,
            PullCommand.class,
            ServeCommand.class,
            InspectCommand.class,
            TokenizeCommand.class,
            LogitsCommand.class,
            CalibrateCommand.class,
            BackendsCommand.class,
            DemoCommand.class,
            EvalCommand.class,
            SweepCommand.class,
            TasksCommand.class,
            RulerCommand.class,
            ReportCommand.class,
            BenchCommand.class,
            CompletionCommand.class
        })
public final class ShadowKvCommand implements Program, Runnable {
    private final Surroundings surroundings;
    private final Cancellation cancellation;

    @Spec
    private CommandSpec spec;

    @Option(names = "--debug", scope = ScopeType.INHERIT, description = "Show a stack trace with an error message.")
    private boolean debug;

    @SuppressWarnings("NullAway.Init") // picocli fills the annotated fields
    private ShadowKvCommand(Surroundings surroundings, Cancellation cancellation) {
        this.surroundings = surroundings;
        this.cancellation = cancellation;
    }

    /// Creates the command line, ready to execute.
    ///
    /// @param cancellation ends a running command early; the command keeps its results so far
    public static CommandLine commandLine(Surroundings surroundings, Cancellation cancellation) {
        var line = new CommandLine(new ShadowKvCommand(surroundings, cancellation));
        line.setCaseInsensitiveEnumValuesAllowed(true);
        line.setUsageHelpAutoWidth(true);
        // A prompt may begin with @, and an argument of an option that takes a text is always that
        // text.
        line.setExpandAtFiles(false);
        line.setAllowOptionsAsOptionParameters(true);
        line.setParameterExceptionHandler(Failures::usage);
        line.setExecutionExceptionHandler(Failures::failure);
        line.setExecutionStrategy(ShadowKvCommand::execute);
        return line;
    }

    /// Runs the parsed command. Failing to print help is reported like a failure of a command;
    /// picocli alone would show a stack trace.
    private static int execute(ParseResult parsed) {
        try {
            return Settings.execute(parsed, new CommandLine.RunLast());
        } catch (StandardStreamException e) {
            throw new ExecutionException(parsed.commandSpec().commandLine(), String.valueOf(e.getMessage()), e);
        }
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

    /// The version of the module, and the commit recorded by the build.
    static final class Version implements CommandLine.IVersionProvider {
        @Override
        public String[] getVersion() throws IOException {
            Module module = ShadowKvCommand.class.getModule();
            // On the class path there is no module, and the first manifest found may belong to any
            // library.
            if (module.getDescriptor() == null) {
                return new String[] {"shadowkv (built from sources), commit unknown"};
            }
            try (InputStream manifest = module.getResourceAsStream("META-INF/MANIFEST.MF")) {
                return new String[] {
                    "shadowkv " + module.getDescriptor().rawVersion().orElse("") + ", commit " + commit(manifest)
                };
            }
        }

        private static String commit(@Nullable InputStream manifest) throws IOException {
            String stated = manifest == null
                    ? null
                    : new Manifest(manifest).getMainAttributes().getValue("Implementation-Build");
            return stated == null ? "unknown" : stated;
        }
    }
}
