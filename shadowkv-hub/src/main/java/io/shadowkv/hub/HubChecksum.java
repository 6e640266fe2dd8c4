package io.shadowkv.hub;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/// The checksum that an ETag of the hub contains: SHA-256 of the content (64 hex digits, for large
/// files), or the SHA-1 of git's blob object (40 hex digits): `"blob " length NUL content`. For use
/// by one thread.
final class HubChecksum {
    private final MessageDigest digest;

    /// @param bytes length of the complete content
    HubChecksum(String etag, long bytes) {
        try {
            if (etag.length() == 40) {
                digest = MessageDigest.getInstance("SHA-1");
                digest.update(("blob " + bytes + "\0").getBytes(StandardCharsets.US_ASCII));
            } else {
                digest = MessageDigest.getInstance("SHA-256");
            }
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-1 and SHA-256", e);
        }
    }

    /// True if the ETag is a checksum; mirrors may send others.
    static boolean isChecksum(String etag) {
        return etag.matches("[0-9a-f]{40}|[0-9a-f]{64}");
    }

    void update(byte[] buffer, int count) {
        digest.update(buffer, 0, count);
    }

    /// The checksum of the content in hex; ends the computation.
    String result() {
        return HexFormat.of().formatHex(digest.digest());
    }
}
