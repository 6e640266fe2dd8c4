package io.shadowkv.cli.serve;

import io.shadowkv.server.ServerLog;
import java.io.PrintWriter;
import java.time.Instant;
import java.time.temporal.ChronoUnit;

/// Prints the server's log to standard error.
///
/// @param err thread-safe
/// @param printsAccess true to print a line for each request
/// @param printsTraces true to print stack traces of failures
public record PrintedLog(PrintWriter err, boolean printsAccess, boolean printsTraces) implements ServerLog {
    @Override
    public void access(String line) {
        if (printsAccess) {
            print(line);
        }
    }

    @Override
    public void defect(String request, Throwable cause) {
        print("defect: " + request + " failed: " + cause);
        if (printsTraces) {
            synchronized (err) {
                cause.printStackTrace(err);
                err.flush();
            }
        }
    }

    private void print(String line) {
        // A client chooses its method and path; control characters would forge lines.
        String clean = line.replaceAll("\\p{Cntrl}", "?");
        err.println(Instant.now().truncatedTo(ChronoUnit.MILLIS) + " " + clean);
        err.flush();
    }
}
