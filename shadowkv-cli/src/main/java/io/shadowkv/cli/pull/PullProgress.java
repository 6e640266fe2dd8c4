package io.shadowkv.cli.pull;

import io.shadowkv.checkpoint.CheckpointException;
import io.shadowkv.cli.process.ByteSize;
import io.shadowkv.cli.process.ProgressLine;
import io.shadowkv.engine.Cancellation;
import io.shadowkv.hub.PullListener;
import java.io.PrintWriter;

/// Shows one progress line per file and stops at Ctrl-C.
final class PullProgress implements PullListener, AutoCloseable {
    private final PrintWriter err;
    private final ProgressLine.Style style;
    private final Cancellation cancellation;
    private String file = "";
    private ProgressLine line;

    PullProgress(PrintWriter err, ProgressLine.Style style, Cancellation cancellation) {
        this.cancellation = cancellation;
        this.err = err;
        this.style = style;
        this.line = new ProgressLine(err, style, "");
    }

    @Override
    public void progress(String name, long doneBytes, long totalBytes) {
        if (cancellation.isRequested()) {
            throw new CheckpointException("interrupted; downloaded data is kept, and the same command resumes");
        }
        if (!name.equals(file)) {
            line.close();
            file = name;
            line = new ProgressLine(err, style, name);
        }
        line.update(
                totalBytes == 0 ? 1 : (double) doneBytes / totalBytes,
                ByteSize.text(doneBytes) + " of " + ByteSize.text(totalBytes));
    }

    @Override
    public void note(String message) {
        line.close();
        err.println(message);
        err.flush();
    }

    @Override
    public void close() {
        line.close();
    }
}
