package io.shadowkv.server;

import java.io.IOException;
import java.net.Socket;
import java.nio.charset.StandardCharsets;

/// A client that writes and reads bytes, to misbehave as no library would.
final class RawClient implements AutoCloseable {
    private static final int TIMEOUT_MILLIS = 240_000;

    private final Socket socket;

    RawClient(TestServer server) throws IOException {
        socket = new Socket("127.0.0.1", server.server.address().getPort());
        socket.setSoTimeout(TIMEOUT_MILLIS);
    }

    void send(String text) throws IOException {
        socket.getOutputStream().write(text.getBytes(StandardCharsets.UTF_8));
        socket.getOutputStream().flush();
    }

    /// Sends a whole request; the server closes the connection after its answer.
    void post(String path, String body) throws IOException {
        head(path, body.getBytes(StandardCharsets.UTF_8).length);
        send(body);
    }

    /// Sends the head of a request.
    void head(String path, long length) throws IOException {
        send("POST " + path
                + " HTTP/1.1\r\nHost: test\r\nConnection: close\r\nAuthorization: Bearer any\r\nContent-Length: "
                + length + "\r\n\r\n");
    }

    /// Ends what is sent; answers can still be read.
    void endOutput() throws IOException {
        socket.shutdownOutput();
    }

    /// Reads until `text` has arrived.
    String readUntil(String text) throws IOException {
        StringBuilder read = new StringBuilder();
        while (read.indexOf(text, Math.max(0, read.length() - text.length())) < 0) {
            int next = socket.getInputStream().read();
            if (next < 0) {
                throw new AssertionError("the connection ended before \"" + text + "\"; it sent " + read);
            }
            read.append((char) next);
        }
        return read.toString();
    }

    String readAll() throws IOException {
        return new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    }

    /// Closes the connection in the middle of whatever goes on.
    void vanish() throws IOException {
        socket.close();
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
