package io.shadowkv.cli;

import java.io.PrintWriter;
import java.util.concurrent.Callable;
import picocli.AutoComplete;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// `completion`: prints the shell completion script.
@Command(
        name = "completion",
        description = "Prints a script that completes commands, options and file names in a shell.",
        mixinStandardHelpOptions = true,
        footer = {
            "",
            "Examples:",
            "  source <(shadowkv completion bash)                 in this shell",
            "  shadowkv completion bash > ~/.local/share/bash-completion/completions/shadowkv",
            "  shadowkv completion zsh > ~/.shadowkv.zsh          then, in ~/.zshrc: source ~/.shadowkv.zsh"
        })
final class CompletionCommand implements Callable<Integer> {
    /// The supported shells; zsh runs the script of bash.
    enum Shell {
        bash,
        zsh
    }

    @Spec
    private CommandSpec spec;

    @Parameters(paramLabel = "SHELL", description = "${COMPLETION-CANDIDATES}.")
    private Shell shell;

    @SuppressWarnings("NullAway.Init") // picocli fills the annotated fields
    private CompletionCommand() {}

    @Override
    public Integer call() {
        CommandSpec root = spec.root();
        PrintWriter out = spec.commandLine().getOut();
        out.println("# " + root.name() + " for " + shell + "; load it with: source FILE");
        out.print(AutoComplete.bash(root.name(), root.commandLine()));
        out.flush();
        return 0;
    }
}
