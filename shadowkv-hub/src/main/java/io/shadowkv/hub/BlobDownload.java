package io.shadowkv.hub;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Downloads the content of one file into the cache: resumes an earlier attempt, checks length and
/// checksum, and then gives the file its final name. For use by one thread, once.
final class BlobDownload {
    /// Number of received bytes that resets the retries of a connection.
    private static final long EARNING_BYTES = 1 << 20;

    private static final Pattern CONTENT_RANGE = Pattern.compile("bytes (\\d{1,18})-(\\d{1,18})/(\\d{1,18}|\\*)");

    private final HubClient client;
    private final HubCache cache;
    private final PullListener listener;
    private final Request request;
    private final Path incomplete;
    private HubChecksum checksum;
    private long done;

    /// @param etag name of the content in the cache
    /// @param bytes length of the complete file
    record Request(HubClient.Content content, String etag, long bytes) {
        String file() {
            return content.file();
        }

        String label() {
            return content.owner() + "/" + content.file();
        }
    }

    BlobDownload(HubClient client, HubCache cache, PullListener listener, Request request) {
        this.client = client;
        this.cache = cache;
        this.listener = listener;
        this.request = request;
        this.incomplete = cache.incomplete(request.etag());
        this.checksum = new HubChecksum(request.etag(), request.bytes());
    }

    /// @throws HubException if the hub refuses, the connection fails too often, the content
    ///     differs, or the disk is full
    /// @throws InterruptedException if this thread is interrupted; the next pull uses the received
    ///     bytes
    void run() throws IOException, InterruptedException {
        takeUp();
        int failures = 0;
        long earned = done + EARNING_BYTES;
        while (done < request.bytes()) {
            try {
                receive();
            } catch (IOException e) {
                HubErrors.checkInterrupted(e);
                failures = done >= earned ? 1 : failures + 1;
                earned = failures == 1 ? done + EARNING_BYTES : earned;
                if (failures >= client.policy().attempts()) {
                    throw HubErrors.unreachable(client, request.content().uri(), request.label(), failures, e);
                }
                listener.note(request.file() + ": " + HubErrors.reason(e) + " after " + done + " of " + request.bytes()
                        + " bytes; trying again");
                client.policy().pause(failures, HubErrors.asked(e));
            }
        }
        finish();
    }

    /// Counts and digests the bytes of an earlier pull.
    private void takeUp() throws IOException, InterruptedException {
        if (HubCache.size(incomplete) > request.bytes()) {
            Files.delete(incomplete);
        }
        if (!Files.exists(incomplete)) {
            restart();
            return;
        }
        byte[] buffer = new byte[1 << 16];
        try (InputStream in = Files.newInputStream(incomplete)) {
            for (int count = in.read(buffer); count >= 0; count = in.read(buffer)) {
                checkStopped();
                checksum.update(buffer, count);
                done += count;
            }
        }
        listener.progress(request.file(), done, request.bytes());
    }

    private void restart() throws IOException {
        open(false).close();
        checksum = new HubChecksum(request.etag(), request.bytes());
        done = 0;
    }

    /// Makes one request for all bytes from `done` on, and receives as many as arrive.
    private void receive() throws IOException, InterruptedException {
        HttpResponse<HubBody> response = client.open(request.content(), done);
        try (HubBody body = response.body()) {
            if (done > 0 && !continues(response)) {
                restart();
            }
            try (OutputStream out = open(true)) {
                copy(body, out);
            }
        }
        if (done < request.bytes()) {
            throw new HubErrors.TransientException("the connection ended early", Duration.ZERO);
        }
    }

    /// True if the response continues at our position; a server may ignore the range and send
    /// everything.
    private boolean continues(HttpResponse<?> response) throws IOException {
        if (response.statusCode() == 200) {
            return false;
        }
        String range = response.headers().firstValue("Content-Range").orElse("");
        Matcher matcher = CONTENT_RANGE.matcher(range);
        boolean fits = matcher.matches()
                && Long.parseLong(matcher.group(1)) == done
                && (matcher.group(3).equals("*") || Long.parseLong(matcher.group(3)) == request.bytes());
        if (!fits) {
            long asked = done;
            restart();
            throw new HubErrors.TransientException(
                    "asked for bytes from " + asked + " of " + request.bytes() + ", the server answered with range \""
                            + HubJson.shorten(range) + "\"",
                    Duration.ZERO);
        }
        return true;
    }

    private void copy(HubBody in, OutputStream out) throws IOException, InterruptedException {
        byte[] buffer = new byte[1 << 16];
        for (int count = in.read(buffer); count >= 0; count = in.read(buffer)) {
            if (count > request.bytes() - done) {
                Files.delete(incomplete);
                throw new HubException(
                        request.label() + ": the server sends more than the " + request.bytes()
                                + " bytes it announced; the received bytes were removed. Try again, or use another HF_ENDPOINT");
            }
            try {
                out.write(buffer, 0, count);
            } catch (IOException e) {
                throw diskFailure(e);
            }
            checksum.update(buffer, count);
            done += count;
            listener.progress(request.file(), done, request.bytes());
            checkStopped();
        }
    }

    private OutputStream open(boolean append) throws IOException {
        try {
            return cache.disk().write(incomplete, append);
        } catch (IOException e) {
            throw diskFailure(e);
        }
    }

    /// Reports failures of the disk at once, without the retries of network failures. The
    /// incomplete file is kept: the next pull counts and digests it again, so a partial write does
    /// no harm.
    private HubException diskFailure(IOException cause) throws IOException {
        return new HubException(
                request.label() + ": the disk accepted " + done + " of " + request.bytes() + " bytes ("
                        + cause.getMessage() + "); " + cache.disk().usableBytes(cache.folder()) + " bytes are left in "
                        + cache.folder()
                        + ". Free space for the other " + (request.bytes() - done)
                        + " bytes, or choose another folder (the hub's cache: HF_HOME), and pull again",
                cause);
    }

    private void finish() throws IOException {
        if (HubChecksum.isChecksum(request.etag())) {
            String found = checksum.result();
            if (!found.equals(request.etag())) {
                Files.delete(incomplete);
                throw new HubException(request.label() + ": checksum " + found + ", expected " + request.etag()
                        + ". The " + request.bytes()
                        + " received bytes do not match the checksum; they were removed. Pull again");
            }
        } else {
            listener.note(request.file() + ": the server sent no checksum (ETag " + request.etag()
                    + "); only the length was checked");
        }
        AtomicFiles.force(incomplete);
        AtomicFiles.move(incomplete, cache.blob(request.etag()));
    }

    private static void checkStopped() throws InterruptedException {
        if (Thread.interrupted()) {
            throw new InterruptedException("the pull was stopped; received data is kept");
        }
    }
}
