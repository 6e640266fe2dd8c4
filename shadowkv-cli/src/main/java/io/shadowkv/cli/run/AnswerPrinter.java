package io.shadowkv.cli.run;

import io.shadowkv.cli.process.ProgressLine;
import io.shadowkv.engine.Completion;
import io.shadowkv.engine.GenerationListener;
import java.io.PrintWriter;

/// Prints an answer while it is generated; before that, shows progress while the prompt is read.
final class AnswerPrinter implements GenerationListener, AutoCloseable {
    private final PrintWriter out;
    private final ProgressLine progress;
    private int printedCharacters;

    AnswerPrinter(PrintWriter out, ProgressLine progress) {
        this.out = out;
        this.progress = progress;
    }

    @Override
    public void reading(double done) {
        progress.update(done);
    }

    @Override
    public void token(int id, String text) {
        progress.close();
        if (!text.isEmpty()) {
            out.print(text);
            out.flush();
            printedCharacters += text.length();
        }
    }

    /// Prints the text that was not final before the end of the answer, and ends the line. Prints
    /// nothing if the prompt was not read completely.
    void finish(Completion completion) {
        progress.close();
        if (CompletionReport.endsInPrompt(completion)) {
            return;
        }
        String text = completion.text();
        if (printedCharacters < text.length()) {
            out.print(text.substring(printedCharacters));
        }
        if (!text.endsWith("\n")) {
            out.println();
        }
        out.flush();
    }

    @Override
    public void close() {
        progress.close();
    }
}
