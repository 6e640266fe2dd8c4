package io.shadowkv.checkpoint;

import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Recognises, by its first bytes, other content that is often stored under the name of a
/// checkpoint file. Stateless.
final class FileKind {
    /// Number of bytes at the start of a file that are enough to recognise it.
    static final int HEAD_BYTES = 1024;

    private static final Pattern POINTER = Pattern.compile("version https://(?:git-lfs|hawser)\\.github\\.com/spec/");
    private static final Pattern POINTER_SIZE = Pattern.compile("\nsize (\\d{1,18})\\s");
    private static final Pattern PAGE = Pattern.compile("(?is)\\s*<(?:!doctype\\s+html|html|head)\\b.*");

    private FileKind() {}

    /// Rejects content that is known to be another kind of file.
    ///
    /// @param source names the file in messages
    /// @param head the file's first [#HEAD_BYTES] bytes, or all of them
    /// @throws CheckpointException if it is another kind of file; the message says which, and what to do
    static void refuseOther(String source, byte[] head) {
        other(head).ifPresent(kind -> {
            throw new CheckpointException(source + ": " + kind);
        });
    }

    private static Optional<String> other(byte[] head) {
        String text = new String(head, 0, Math.min(head.length, HEAD_BYTES), StandardCharsets.ISO_8859_1);
        if (POINTER.matcher(text).lookingAt()) {
            Matcher size = POINTER_SIZE.matcher(text);
            String bytes =
                    size.find() ? String.format(Locale.ROOT, " of %,d bytes", Long.parseLong(size.group(1))) : "";
            return Optional.of(
                    "this is a Git LFS pointer to a file" + bytes + ", not the file itself. Run `git lfs pull`"
                            + " in the folder that was cloned, or fetch the model with `shadowkv pull ORG/NAME`");
        }
        if (PAGE.matcher(text).matches()) {
            return Optional.of("this is an HTML page that was saved under the file's name. Fetch the file itself, such"
                    + " as with `shadowkv pull ORG/NAME`");
        }
        if (text.startsWith("GGUF")) {
            return Optional.of(
                    "this is a GGUF file under another name. Give it a name that ends in .gguf, and then the file itself instead of its folder");
        }
        // Followed by a version, where a safetensors header of 67 MB would have zeros.
        if (text.startsWith("PK\u0003\u0004") && !text.startsWith("PK\u0003\u0004\0\0\0\0")) {
            return Optional.of(
                    "this is a ZIP archive, as PyTorch saves weights, which the engine does not read. Save the"
                            + " model with transformers' save_pretrained(..., safe_serialization=True)");
        }
        return Optional.empty();
    }
}
