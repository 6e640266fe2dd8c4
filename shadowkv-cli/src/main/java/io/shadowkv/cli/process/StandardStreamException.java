package io.shadowkv.cli.process;

import java.io.IOException;

/// Standard input could not be read, or standard output could not be written. Ends the command.
public final class StandardStreamException extends RuntimeException {
    private static final long serialVersionUID = 1;

    StandardStreamException(String message, IOException cause) {
        super(message, cause);
    }
}
