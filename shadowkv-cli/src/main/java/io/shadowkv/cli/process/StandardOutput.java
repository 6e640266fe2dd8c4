package io.shadowkv.cli.process;

import java.io.IOException;
import java.io.OutputStream;
import java.io.OutputStreamWriter;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;

/// Standard output, which receives the result of a command. The first failed write ends the
/// command, because later results would be lost; later writes do nothing.
///
/// A plain `PrintWriter` would ignore the failure. For use by one thread at a time.
public final class StandardOutput extends OutputStream {
    private final OutputStream target;
    private boolean hasFailed;

    public StandardOutput(OutputStream target) {
        this.target = target;
    }

    /// The writer that commands print to. Always UTF-8, because output goes to files and pipes as
    /// well as terminals.
    public PrintWriter writer() {
        return new PrintWriter(new OutputStreamWriter(this, StandardCharsets.UTF_8), true);
    }

    /// True once output was lost.
    public boolean hasFailed() {
        return hasFailed;
    }

    @Override
    public void write(int value) {
        write(new byte[] {(byte) value}, 0, 1);
    }

    /// @throws StandardStreamException at the first write that fails
    @Override
    public void write(byte[] bytes, int offset, int length) {
        if (hasFailed) {
            return;
        }
        try {
            target.write(bytes, offset, length);
            target.flush();
        } catch (IOException e) {
            hasFailed = true;
            throw new StandardStreamException(
                    "standard output cannot be written: " + e.getMessage()
                            + ". The rest of the output is lost; send it to a file with enough space, or to a program"
                            + " that reads all of it",
                    e);
        }
    }
}
