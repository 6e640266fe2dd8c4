package io.shadowkv.text;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/// Reads the tokenizer files of a checkpoint folder, with messages that name the file. Stateless.
public final class TextFile {
    private static final byte[] POINTER = "version https://git-lfs".getBytes(StandardCharsets.US_ASCII);

    private TextFile() {}

    /// @throws TokenizerException if the file cannot be read, or is a Git LFS pointer
    public static byte[] bytes(Path file) {
        byte[] bytes;
        try {
            bytes = Files.readAllBytes(file);
        } catch (IOException e) {
            throw new TokenizerException(file + ": cannot be read: " + e + ". Check the file and its permissions", e);
        }
        if (bytes.length >= POINTER.length
                && ByteBuffer.wrap(bytes, 0, POINTER.length).equals(ByteBuffer.wrap(POINTER))) {
            throw new TokenizerException(file + ": is a Git LFS pointer to a file, not the file itself. Run `git lfs"
                    + " pull` in the cloned folder, or download the model with `shadowkv pull ORG/NAME`");
        }
        return bytes;
    }

    /// @throws TokenizerException as [#bytes], and if the content is not UTF-8
    public static String utf8(Path file) {
        byte[] bytes = bytes(file);
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes))
                    .toString();
        } catch (CharacterCodingException e) {
            throw new TokenizerException(file + ": is not UTF-8 text. Download the file again, or save it as UTF-8", e);
        }
    }
}
