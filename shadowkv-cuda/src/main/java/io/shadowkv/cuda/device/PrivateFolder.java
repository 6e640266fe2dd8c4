package io.shadowkv.cuda.device;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFileAttributes;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.nio.file.attribute.UserPrincipal;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// A folder that only the current user can write to. Kernels are loaded from it, so another user
/// with write access could run code in this user's processes.
final class PrivateFolder {
    private static final Set<PosixFilePermission> OWNER_ONLY = PosixFilePermissions.fromString("rwx------");
    /// Belongs to the user that runs this process.
    private static final Path OWN_PROCESS = Path.of("/proc/self");

    private PrivateFolder() {}

    /// Creates the folder with mode 0700 if it is missing, and checks owner and mode if it exists.
    ///
    /// @return why the folder must not be used and what to do, or null if it can be used
    /// @throws IOException if the folder cannot be created or examined
    static @Nullable String prepare(Path folder) throws IOException {
        boolean isPosix = folder.getFileSystem().supportedFileAttributeViews().contains("posix");
        if (!Files.exists(folder)) {
            FileAttribute<?>[] mode = isPosix
                    ? new FileAttribute<?>[] {PosixFilePermissions.asFileAttribute(OWNER_ONLY)}
                    : new FileAttribute<?>[0];
            Files.createDirectories(folder, mode);
        }
        if (!isPosix) {
            return null;
        }
        return refusal(folder, Files.exists(OWN_PROCESS) ? Files.getOwner(OWN_PROCESS) : null);
    }

    /// @param user the user that runs this process; null does not compare owners
    static @Nullable String refusal(Path folder, @Nullable UserPrincipal user) throws IOException {
        PosixFileAttributes attributes =
                Files.getFileAttributeView(folder, PosixFileAttributeView.class).readAttributes();
        if (!attributes.isDirectory()) {
            return folder + " is not a folder. Give another folder with --kernel-cache";
        }
        if (user != null && !attributes.owner().equals(user)) {
            return folder + " belongs to the user " + attributes.owner().getName() + ", not to " + user.getName()
                    + ", who runs this program. Give another folder with --kernel-cache";
        }
        Set<PosixFilePermission> mode = attributes.permissions();
        if (mode.contains(PosixFilePermission.GROUP_WRITE) || mode.contains(PosixFilePermission.OTHERS_WRITE)) {
            return "other users may write to " + folder + " (mode " + PosixFilePermissions.toString(mode)
                    + "). Empty it and run chmod 700 on it, or give another folder with --kernel-cache";
        }
        return null;
    }
}
