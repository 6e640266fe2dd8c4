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

/// Entry point of the process: sets up the streams, runs one command and exits with its code.
public final class Main {
    private static final int STANDARD_ERROR = 2;

    private Main() {}

    public static void main(String[] arguments) {
        restoreError();
        // Reports draw figures, always off screen.
        System.setProperty("java.awt.headless", "true");
        // HTTPS_PROXY contains a proxy's name and password so that they are sent; by default the
        // JDK does not
        // send them to a proxy for https addresses.
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
    /// @return its exit code, which is never 0 if a part of the output could not be written
    static int execute(CommandLine command, OutputStream out, PrintWriter err, String... arguments) {
        var output = new StandardOutput(out);
        PrintWriter printer = output.writer();
        command.setOut(printer).setErr(err);
        try {
            int code = command.execute(arguments);
            printer.flush();
            return output.hasFailed() ? Failures.FAILURE : code;
        } catch (StandardStreamException e) {
            // This is from the flush; a failure inside a command is reported where the command is
            // executed.
            err.println("shadowkv: " + e.getMessage());
            return Failures.FAILURE;
        } catch (OutOfMemoryError e) {
            err.println("shadowkv: " + Failures.message(e));
            return Failures.FAILURE;
        }
    }

    /// Restores standard error. Until now it went through the launcher's filter, which removes the
    /// JVM's own first lines; the launcher names the descriptor of the original stream.
    private static void restoreError() {
        int descriptor = Integer.getInteger("shadowkv.stderr", -1);
        if (descriptor >= 0 && Libc.dup2(descriptor, STANDARD_ERROR) != STANDARD_ERROR) {
            System.err.println("shadowkv: descriptor " + descriptor
                    + " is not open; standard error stays redirected to the launcher");
        }
    }
}
