package io.shadowkv.cli.process;

import io.shadowkv.checkpoint.CheckpointException;
import io.shadowkv.engine.ContextLengthException;
import io.shadowkv.engine.MemoryPlanException;
import io.shadowkv.eval.run.ExaminerFailure;
import io.shadowkv.hub.HubException;
import io.shadowkv.op.BackendException;
import io.shadowkv.op.BackendMemoryException;
import io.shadowkv.sampling.LogitsException;
import io.shadowkv.server.ListenException;
import io.shadowkv.text.TokenizerException;
import io.shadowkv.text.chat.ChatTemplateException;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.util.concurrent.CancellationException;
import picocli.CommandLine;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.UnmatchedArgumentException;

/// Reports a failure: a message, the exit code, and a stack trace only with `--debug`.
public final class Failures {
    public static final int FAILURE = 1;
    static final int USAGE = 2;

    private Failures() {}

    /// Reports a usage error.
    public static int usage(ParameterException problem, String[] arguments) {
        CommandLine command = problem.getCommandLine();
        PrintWriter err = command.getErr();
        err.println("shadowkv: " + misuse(problem));
        err.println("Try '" + command.getCommandSpec().qualifiedName() + " --help'.");
        return USAGE;
    }

    private static String misuse(ParameterException problem) {
        var commands = problem.getCommandLine().getSubcommands().keySet();
        if (problem instanceof UnmatchedArgumentException unmatched
                && !unmatched.isUnknownOption()
                && !commands.isEmpty()) {
            return "there is not a command '" + unmatched.getUnmatched().getFirst() + "'; there are "
                    + String.join(", ", commands);
        }
        String hint = problem instanceof UnmatchedArgumentException unmatched
                        && unmatched.isUnknownOption()
                        && takesText(problem.getCommandLine())
                ? "; to pass a text that begins with -, put -- before it, after all options"
                : "";
        return problem.getMessage() + hint;
    }

    private static boolean takesText(CommandLine command) {
        return command.getCommandSpec().positionalParameters().stream()
                .anyMatch(parameter -> parameter.paramLabel().matches("PROMPT|TEXT"));
    }

    /// Reports a failure of a running command.
    public static int failure(Exception problem, CommandLine command, CommandLine.ParseResult parsed) {
        PrintWriter err = command.getErr();
        Program root = (Program) command.getCommandSpec().root().userObject();
        if (problem instanceof ParameterException misuse) {
            return usage(misuse, new String[0]);
        }
        err.println("shadowkv: " + message(problem));
        if (root.isDebug()) {
            problem.printStackTrace(err);
        }
        return FAILURE;
    }

    /// The message for the user; an unexpected failure is described as such, with its type.
    public static String message(Throwable problem) {
        return switch (problem) {
            case CheckpointException e -> text(e);
            case HubException e -> text(e);
            case ContextLengthException e -> text(e);
            case MemoryPlanException e -> text(e);
            case BackendMemoryException e -> text(e);
            case BackendException e -> text(e);
            case CancellationException e -> text(e);
            case ExaminerFailure e -> text(e);
            case StandardStreamException e -> text(e);
            case LogitsException e -> text(e);
            case TokenizerException e -> text(e);
            case ChatTemplateException e -> text(e);
            case ListenException e -> text(e);
            case IllegalArgumentException e -> text(e);
            case UncheckedIOException e when e.getCause() != null -> message(e.getCause());
            case NoSuchFileException e -> e.getFile() + ": no such file. Check the name, and the folder you are in";
            case AccessDeniedException e ->
                e.getFile() + ": access denied. Check the permissions of the file and its folder";
            case FileSystemException e when e.getReason() != null -> text(e);
            case IOException e -> text(e) + " (" + e.getClass().getSimpleName() + ")";
            case OutOfMemoryError e -> heapIsFull(e);
            default ->
                "unexpected " + problem.getClass().getSimpleName() + ": " + text(problem)
                        + ". This is an error in the program; --debug shows a stack trace";
        };
    }

    private static String heapIsFull(OutOfMemoryError problem) {
        return "the JVM's heap of %s is too small (%s). Keys and values lie outside of it, a prompt's text inside: shorten the prompt, or set SHADOWKV_JAVA_OPTIONS=-Xmx8g"
                .formatted(ByteSize.text(Runtime.getRuntime().maxMemory()), problem.getMessage());
    }

    private static String text(Throwable problem) {
        String message = problem.getMessage();
        return message == null ? problem.getClass().getSimpleName() : message;
    }
}
