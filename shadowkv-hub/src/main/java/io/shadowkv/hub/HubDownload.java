package io.shadowkv.hub;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.Objects;
import java.util.stream.Stream;

/// Downloads one file from an address outside a hub with the same checks as a pull: it resumes,
/// detects a server that stops sending, and makes the file visible only once it is complete.
/// Without a hub there is no checksum, so only the length is checked. Stateless.
final class HubDownload {
    private HubDownload() {}

    /// Downloads the content of `address` to `target`, replacing it. The bytes of an interrupted
    /// download are in `.NAME.part` in the same folder.
    ///
    /// @throws IllegalArgumentException if the address is not an http address
    /// @throws HubException if the server refuses, cannot be reached or sends no length, the disk
    ///     is full, or another download to the same path is running
    /// @throws InterruptedException if this thread is interrupted; the next download resumes
    static void fetch(URI address, Path target, HubProxies proxies, PullListener listener, HubPolicy policy)
            throws InterruptedException {
        String scheme = String.valueOf(address.getScheme());
        if (!scheme.equals("http") && !scheme.equals("https") || address.getHost() == null) {
            throw new IllegalArgumentException(
                    "\"" + HubErrors.shown(address) + "\" is not an address; expected http(s)://HOST/FILE");
        }
        Path folder = Objects.requireNonNull(target.toAbsolutePath().getParent(), "a file is in a folder");
        String name = target.getFileName().toString();
        Path part = folder.resolve("." + name + ".part");
        HubCache parts = new HubCache(part, "file", HubDisk.real());
        HubClient client = HubClient.plain(address, proxies, policy);
        var content = new HubClient.Content(address, client.host(), name, null);
        HubClient.Facts facts = client.plainFacts(content, listener);
        try {
            Files.createDirectories(folder);
            try (HubCache.Lock _ = parts.lock()) {
                parts.checkSpace(facts.bytes() - HubCache.size(parts.incomplete(facts.etag())));
                new BlobDownload(
                                client, parts, listener, new BlobDownload.Request(content, facts.etag(), facts.bytes()))
                        .run();
                AtomicFiles.move(parts.blob(facts.etag()), target);
            }
            delete(part);
        } catch (IOException e) {
            HubErrors.checkInterrupted(e);
            throw HubException.io("cannot keep " + HubErrors.shown(address) + " in " + folder, e);
        }
    }

    /// Deletes the partial files of this class, including those of older versions of the content.
    private static void delete(Path folder) throws IOException {
        try (Stream<Path> all = Files.walk(folder)) {
            for (Path path : all.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(path);
            }
        }
    }
}
