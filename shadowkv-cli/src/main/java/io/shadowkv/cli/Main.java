package io.shadowkv.cli;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStreamWriter;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.logging.Level;
import java.util.logging.Logger;

/// Entry of the process: lays out the streams, runs one command and exits with its code.
public final class Main {
    private Main() {}

    public static void main(String[] arguments) {
        redirectError();
        Logger.getLogger("").setLevel(Level.WARNING);
        // Always UTF-8: text goes to files and pipes as often as to a terminal.
        PrintWriter out = new PrintWriter(
                new OutputStreamWriter(new FileOutputStream(FileDescriptor.out), StandardCharsets.UTF_8), true);
        PrintWriter err = new PrintWriter(new OutputStreamWriter(System.err, StandardCharsets.UTF_8), true);
        int code;
        try (Interruption interruption = Interruption.watch()) {
            code = ShadowKvCommand.commandLine(Surroundings.ofProcess(), interruption.cancellation())
                    .setOut(out)
                    .setErr(err)
                    .execute(arguments);
            out.flush();
            err.flush();
        }
        System.exit(code);
    }

    /// The launcher takes the JVM's own first words out of standard error and passes the real one under another name.
    /// Where that cannot be opened (a socket), everything goes through the launcher's filter, which is as good.
    private static void redirectError() {
        String name = System.getProperty("shadowkv.stderr", "");
        if (!name.isEmpty()) {
            try {
                System.setErr(new PrintStream(new FileOutputStream(name, true), true, StandardCharsets.UTF_8));
            } catch (IOException e) {
                System.getLogger(Main.class.getName()).log(System.Logger.Level.DEBUG, "cannot open " + name, e);
            }
        }
    }
}
