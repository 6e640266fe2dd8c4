package io.shadowkv.cli.process;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;

/// Standard input whose failures say that they are of standard input; those of the system name no
/// file.
public final class StandardInput extends FilterInputStream {
    public StandardInput(InputStream source) {
        super(source);
    }

    @Override
    public int read() throws IOException {
        try {
            return super.read();
        } catch (IOException e) {
            throw failure(e);
        }
    }

    @Override
    public int read(byte[] target, int offset, int length) throws IOException {
        try {
            return super.read(target, offset, length);
        } catch (IOException e) {
            throw failure(e);
        }
    }

    private static StandardStreamException failure(IOException problem) {
        return new StandardStreamException(
                "standard input cannot be read: " + problem.getMessage()
                        + ". Redirect a text to it, or give the text as an argument or with --file FILE",
                problem);
    }
}
