package io.shadowkv.server.http;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Consumer;

/// The JDK's HTTP server, with a virtual thread for each exchange.
///
/// Its limits (connections, headers, time for a request) are system properties that the JDK reads
/// once; the command line sets them.
public final class JdkHttp implements AutoCloseable {
    private static final int BACKLOG = 1024;

    private final HttpServer server;
    private final ExecutorService threads;
    private final Handler handler;
    private final Consumer<String> accessLog;

    private JdkHttp(HttpServer server, ExecutorService threads, Handler handler, Consumer<String> accessLog) {
        this.server = server;
        this.threads = threads;
        this.handler = handler;
        this.accessLog = accessLog;
    }

    /// Binds the address and takes requests.
    ///
    /// @param accessLog receives a line for each exchange
    /// @throws IOException if the address cannot be bound
    public static JdkHttp start(InetSocketAddress address, Handler handler, Consumer<String> accessLog)
            throws IOException {
        HttpServer server = HttpServer.create(address, BACKLOG);
        ExecutorService threads = Executors.newThreadPerTaskExecutor(
                Thread.ofVirtual().name("shadowkv-http-", 0).factory());
        JdkHttp http = new JdkHttp(server, threads, handler, accessLog);
        server.setExecutor(threads);
        server.createContext("/", http::handle);
        server.start();
        return http;
    }

    public InetSocketAddress address() {
        return server.getAddress();
    }

    private void handle(HttpExchange exchange) throws IOException {
        long start = System.nanoTime();
        JdkExchange own = new JdkExchange(exchange);
        String end = "";
        try (exchange) {
            end = answer(own);
        }
        accessLog.accept("%s %s %s %d ms=%d%s%s"
                .formatted(
                        own.remote(),
                        own.method(),
                        own.path(),
                        own.status(),
                        Duration.ofNanos(System.nanoTime() - start).toMillis(),
                        own.notes(),
                        end));
        if (!end.isEmpty()) {
            // The JDK's server forgets a connection that an exchange has closed only if the handler throws.
            throw new IOException("the exchange ended early:" + end);
        }
    }

    /// @return what the access log says about the end
    private String answer(JdkExchange exchange) {
        try {
            handler.handle(exchange);
            return "";
        } catch (ClientGoneException e) {
            return " client_gone=true";
        } catch (RuntimeException | Error e) {
            // The handler reports what it expects. This keeps the client from waiting in vain.
            try {
                if (exchange.status() == 0) {
                    exchange.respond(500, Map.of(), new byte[0]);
                }
            } catch (ClientGoneException gone) {
                e.addSuppressed(gone);
            }
            return " failure=" + e.getClass().getSimpleName();
        }
    }

    /// Takes no further connections, waits for running exchanges, and closes what is left.
    ///
    /// @param limit time to wait
    public void stop(Duration limit) {
        server.stop((int) Math.max(0, limit.toSeconds()));
        threads.shutdownNow();
    }

    @Override
    public void close() {
        stop(Duration.ZERO);
    }
}
