package io.shadowkv.hub;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Path;

/// Delegates to the real disk; tests override one operation.
class DelegatingDisk implements HubDisk {
    private final HubDisk real = HubDisk.real();

    @Override
    public long usableBytes(Path folder) throws IOException {
        return real.usableBytes(folder);
    }

    @Override
    public OutputStream write(Path file, boolean append) throws IOException {
        return real.write(file, append);
    }

    @Override
    public void symbolicLink(Path link, Path target) throws IOException {
        real.symbolicLink(link, target);
    }
}
