package io.shadowkv.server;

import java.io.IOException;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;

/// A client that asks for a long answer and takes almost nothing of it. Its sequence stops when the
/// buffers in between are full.
final class SlowReader implements AutoCloseable {
    private static final int TIMEOUT_MILLIS = 240_000;

    private final Socket socket = new Socket();

    SlowReader(TestServer server) throws IOException {
        // A small window, so that the server soon cannot write.
        socket.setReceiveBufferSize(2048);
        socket.setSoTimeout(TIMEOUT_MILLIS);
        socket.connect(
                new InetSocketAddress("127.0.0.1", server.server.address().getPort()));
        String body = TestServer.chat(
                "hello",
                ",\"stream\":true,\"logprobs\":true,\"top_logprobs\":20,\"ignore_eos\":true,\"max_tokens\":20000");
        byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
        OutputStream out = socket.getOutputStream();
        out.write(("POST /v1/chat/completions HTTP/1.1\r\nHost: test\r\nContent-Length: " + bytes.length + "\r\n\r\n")
                .getBytes(StandardCharsets.US_ASCII));
        out.write(bytes);
        out.flush();
    }

    /// Takes one byte; -1 if the server ended the answer.
    int take() throws IOException {
        return socket.getInputStream().read();
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
