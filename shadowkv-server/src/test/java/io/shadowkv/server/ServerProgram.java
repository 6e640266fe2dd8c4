package io.shadowkv.server;

import io.shadowkv.Fixtures;
import io.shadowkv.cache.KvCacheSpec;
import io.shadowkv.engine.EngineOptions;
import io.shadowkv.engine.serve.Backends;
import io.shadowkv.engine.serve.Engine;
import io.shadowkv.op.BackendProvider.BackendOptions;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/// A server in a process of its own, for tests that kill it. Prints its port and runs until its input
/// ends.
final class ServerProgram {
    private ServerProgram() {}

    /// @param args folder of documents
    public static void main(String[] args) throws IOException {
        // As `serve` sets it: the JDK's 30 seconds are too few for many connections on a busy machine.
        System.setProperty("sun.net.httpserver.idleInterval", "300");
        Backends.Choice backend = Backends.open("cpu", new BackendOptions(0, 0, null));
        EngineOptions options =
                EngineOptions.DEFAULT.withCache(KvCacheSpec.Shadow.DEFAULT).withKeptPrompts(0);
        try (Engine engine = Engine.open(Fixtures.needleModel(), backend.backend(), options);
                ApiServer server = ApiServer.start(
                        ServerOptions.DEFAULT
                                .withPort(0)
                                .withPingInterval(Duration.ofMillis(200))
                                .withDocumentFolder(Path.of(args[0])),
                        new ServerLog() {
                            @Override
                            public void access(String line) {}

                            @Override
                            public void defect(String request, Throwable cause) {
                                cause.printStackTrace();
                            }
                        })) {
            server.serve(engine, List.of(TestServer.MODEL));
            System.out.println(server.address().getPort());
            System.out.flush();
            String rest = new String(System.in.readAllBytes(), StandardCharsets.UTF_8);
            assert rest.isEmpty();
        } finally {
            backend.backend().close();
        }
    }
}
