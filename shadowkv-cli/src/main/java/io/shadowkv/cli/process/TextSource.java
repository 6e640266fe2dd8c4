package io.shadowkv.cli.process;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;

/// Reads a text from an argument, a file, or standard input if it is not a terminal.
public final class TextSource {
    private TextSource() {}

    /// The text of the argument or the file; if neither is given, that of standard input.
    ///
    /// @throws ParameterException if both are given, or if none is given and standard input is a
    ///     terminal
    public static String read(
            CommandSpec command, @Nullable String argument, @Nullable Path file, Surroundings surroundings)
            throws IOException {
        if (argument != null && file != null) {
            throw new ParameterException(
                    command.commandLine(), "text given as an argument and with --file " + file + "; give one of them");
        }
        if (argument != null) {
            return argument;
        }
        if (file != null && !file.toString().equals("-")) {
            return text(UserFile.bytes(file), file.toString());
        }
        if (file == null && surroundings.inputIsTerminal()) {
            throw new ParameterException(
                    command.commandLine(),
                    "no text given; pass it as an argument, with --file FILE, or through a pipe");
        }
        InputStream input = surroundings.input();
        return text(input.readAllBytes(), "standard input");
    }

    private static String text(byte[] bytes, String source) {
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes))
                    .toString();
        } catch (CharacterCodingException e) {
            throw new IllegalArgumentException(
                    source + ": " + bytes.length + " bytes that are not UTF-8 text; convert the text to UTF-8 first",
                    e);
        }
    }
}
