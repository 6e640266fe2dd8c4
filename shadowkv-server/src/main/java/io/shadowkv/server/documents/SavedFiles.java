package io.shadowkv.server.documents;

import io.shadowkv.server.error.ApiException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Optional;
import java.util.UUID;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// Names of the files of saved documents: `ID.json` for the description, `ID.SAVE.shadowkv` for the
/// engine's file and `ID.SAVE.text` for the text. Each save has a `SAVE` of its own.
final class SavedFiles {
    static final int SAVE_LENGTH = 16;

    private static final String DESCRIPTION = ".json";
    private static final Pattern SAVE = Pattern.compile("[0-9a-f]{" + SAVE_LENGTH + "}");
    private static final Pattern OF_SAVE =
            Pattern.compile(".+\\.(?<save>[0-9a-f]{" + SAVE_LENGTH + "})\\.(shadowkv|text)");
    /// What [#write] and the engine make before they rename.
    private static final Pattern TEMPORARY =
            Pattern.compile("\\..+\\.(json|shadowkv|text)\\.[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\\.tmp");

    private SavedFiles() {}

    static Path description(Path folder, String id) {
        return folder.resolve(id + DESCRIPTION);
    }

    static Path cache(Path folder, String id, String save) {
        return folder.resolve(id + "." + save + ".shadowkv");
    }

    static Path text(Path folder, String id, String save) {
        return folder.resolve(id + "." + save + ".text");
    }

    static boolean isSave(String text) {
        return SAVE.matcher(text).matches();
    }

    /// The identifier of a description; empty if a file is none.
    static Optional<String> idOf(Path file) {
        String name = file.getFileName().toString();
        return name.endsWith(DESCRIPTION) && name.charAt(0) != '.'
                ? Optional.of(name.substring(0, name.length() - DESCRIPTION.length()))
                : Optional.empty();
    }

    /// The save that a file belongs to; null if it is not of a save.
    static @Nullable String saveOf(Path file) {
        Matcher matcher = OF_SAVE.matcher(file.getFileName().toString());
        return matcher.matches() ? matcher.group("save") : null;
    }

    /// The identifier of the document that a file of a save belongs to.
    static String ownerOf(Path file, String save) {
        String name = file.getFileName().toString();
        return name.substring(0, name.lastIndexOf("." + save + "."));
    }

    /// True for a file that was not renamed yet.
    static boolean isTemporary(Path file) {
        return TEMPORARY.matcher(file.getFileName().toString()).matches();
    }

    /// Writes a temporary file, forces it to the disk, and returns it.
    ///
    /// @param target what it is to be renamed to
    static Path write(Path target, byte[] content) {
        Path temporary = target.resolveSibling("." + target.getFileName() + "." + UUID.randomUUID() + ".tmp");
        try (FileChannel channel =
                FileChannel.open(temporary, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
            ByteBuffer bytes = ByteBuffer.wrap(content);
            while (bytes.hasRemaining()) {
                channel.write(bytes);
            }
            channel.force(true);
        } catch (IOException e) {
            throw failed(e, temporary);
        }
        return temporary;
    }

    /// The exception for a file that could not be written, which is removed.
    private static UncheckedIOException failed(IOException cause, Path file) {
        try {
            Files.deleteIfExists(file);
        } catch (IOException e) {
            cause.addSuppressed(e);
        }
        return new UncheckedIOException(cause);
    }

    static void rename(Path temporary, Path target) {
        try {
            Files.move(temporary, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            throw failed(e, temporary);
        }
    }

    /// @throws ApiException if the file cannot be read (500)
    static byte[] read(String id, Path file) {
        try {
            return Files.readAllBytes(file);
        } catch (IOException e) {
            throw DocumentFolder.damaged(id, "its file " + file.getFileName() + " cannot be read", e);
        }
    }
}
