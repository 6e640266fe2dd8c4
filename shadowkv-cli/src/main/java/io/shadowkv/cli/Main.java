package io.shadowkv.cli;

import io.shadowkv.cli.process.Failures;
import io.shadowkv.cli.process.Interruption;
import io.shadowkv.cli.process.Libc;
import io.shadowkv.cli.process.StandardInput;
import io.shadowkv.cli.process.StandardOutput;
import io.shadowkv.cli.process.StandardStreamException;
import io.shadowkv.cli.process.Surroundings;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.OutputStream;
import java.io.OutputStreamWriter;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
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
        // A proxy's name and password stand in HTTPS_PROXY because they are to be sent; the JDK holds them back from
        // tunnels by default.
        System.setProperty("jdk.http.auth.tunneling.disabledSchemes", "");
        Logger.getLogger("").setLevel(Level.WARNING);
        PrintWriter err = new PrintWriter(new OutputStreamWriter(System.err, StandardCharsets.UTF_8), true);
        int code;
        try (Interruption interruption = Interruption.watch()) {
            Surroundings surroundings =
                    Surroundings.ofProcess(new StandardInput(interruption.watched(System.in)), Main.class.getName());
            CommandLine command = ShadowKvCommand.commandLine(surroundings, interruption.cancellation());
            code = execute(command, new FileOutputStream(FileDescriptor.out), err, arguments);
            err.flush();
        }
        System.exit(code);
    }

    /// Runs one command with these streams.
    ///
    /// @return its exit code; never 0 if a part of its output could not be written
    static int execute(CommandLine command, OutputStream out, PrintWriter err, String... arguments) {
        var output = new StandardOutput(out);
        PrintWriter printer = output.writer();
        command.setOut(printer).setErr(err);
        try {
            int code = command.execute(arguments);
            printer.flush();
            return output.hasFailed() ? Failures.FAILURE : code;
        } catch (StandardStreamException e) {
            // From the flush: a failure in a command is reported where it is executed.
            err.println("shadowkv: " + e.getMessage());
            return Failures.FAILURE;
        } catch (OutOfMemoryError e) {
            err.println("shadowkv: " + Failures.message(e));
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
