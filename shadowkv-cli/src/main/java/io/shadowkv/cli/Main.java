package io.shadowkv.cli;

import io.shadowkv.cli.process.ByteSize;
import io.shadowkv.cli.process.Failures;
import io.shadowkv.cli.process.Interruption;
import io.shadowkv.cli.process.Libc;
import io.shadowkv.cli.process.Surroundings;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.OutputStreamWriter;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.logging.Level;
import java.util.logging.Logger;
import picocli.CommandLine;

/// Entry of the process: lays out the streams, runs one command and exits with its code.
public final class Main {
    private static final int STANDARD_ERROR = 2;

    private Main() {}

    public static void main(String[] arguments) {
        restoreError();
        // Reports draw figures: never on a screen.
        System.setProperty("java.awt.headless", "true");
        Logger.getLogger("").setLevel(Level.WARNING);
        // Always UTF-8: text goes to files and pipes as often as to a terminal.
        PrintWriter out = new PrintWriter(
                new OutputStreamWriter(new FileOutputStream(FileDescriptor.out), StandardCharsets.UTF_8), true);
        PrintWriter err = new PrintWriter(new OutputStreamWriter(System.err, StandardCharsets.UTF_8), true);
        int code;
        try (Interruption interruption = Interruption.watch()) {
            Surroundings surroundings = Surroundings.ofProcess(interruption.watched(System.in), Main.class.getName());
            code = execute(
                    ShadowKvCommand.commandLine(surroundings, interruption.cancellation())
                            .setOut(out)
                            .setErr(err),
                    arguments);
            out.flush();
            err.flush();
        }
        System.exit(code);
    }

    private static int execute(CommandLine command, String[] arguments) {
        try {
            return command.execute(arguments);
        } catch (OutOfMemoryError e) {
            command.getErr()
                    .printf(
                            Locale.ROOT,
                            "shadowkv: the JVM's heap of %s is too small (%s). Keys and values lie outside of it, a prompt's text"
                                    + " inside: shorten the prompt, or set SHADOWKV_JAVA_OPTIONS=-Xmx8g%n",
                            ByteSize.text(Runtime.getRuntime().maxMemory()),
                            e.getMessage());
            return Failures.FAILURE;
        }
    }

    /// Until here standard error went through the launcher's filter, which holds back the JVM's own first
    /// words; the real one waits under the descriptor the launcher names.
    private static void restoreError() {
        int descriptor = Integer.getInteger("shadowkv.stderr", -1);
        if (descriptor >= 0 && Libc.dup2(descriptor, STANDARD_ERROR) != STANDARD_ERROR) {
            System.err.println(
                    "shadowkv: descriptor " + descriptor + " is not open; standard error stays with the launcher");
        }
    }
}
