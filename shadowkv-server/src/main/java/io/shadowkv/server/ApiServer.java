package io.shadowkv.server;

import io.shadowkv.engine.serve.Engine;
import io.shadowkv.server.Router.Access;
import io.shadowkv.server.documents.DocumentStore;
import io.shadowkv.server.documents.SavedLimits;
import io.shadowkv.server.endpoint.ChatCompletions;
import io.shadowkv.server.endpoint.Completions;
import io.shadowkv.server.endpoint.Detokenize;
import io.shadowkv.server.endpoint.Documents;
import io.shadowkv.server.endpoint.Endpoint;
import io.shadowkv.server.endpoint.Metrics;
import io.shadowkv.server.endpoint.Models;
import io.shadowkv.server.endpoint.Serving;
import io.shadowkv.server.endpoint.SlotList;
import io.shadowkv.server.endpoint.Tokenize;
import io.shadowkv.server.error.ApiException;
import io.shadowkv.server.error.ErrorBody;
import io.shadowkv.server.error.Failures;
import io.shadowkv.server.generate.Slots;
import io.shadowkv.server.http.Exchange;
import io.shadowkv.server.http.JdkHttp;
import io.shadowkv.server.json.JsonBody;
import io.shadowkv.server.metrics.ServerMetrics;
import io.shadowkv.server.model.EnginePool;
import io.shadowkv.server.model.ServedModel;
import io.shadowkv.server.page.Live;
import io.shadowkv.server.page.PageFiles;
import io.shadowkv.server.request.RequestDefaults;
import io.shadowkv.server.structured.StructuredOutput;
import io.shadowkv.text.grammar.GrammarVocabulary;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Semaphore;
import java.util.function.BiConsumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.node.ObjectNode;

/// An HTTP server that offers the engines of one model under OpenAI's API.
///
/// Listens from the start and answers 503 until [#serve] gives it an engine. Thread-safe.
public final class ApiServer implements AutoCloseable {
    private static final Times TIMES = new Times(Duration.ofMinutes(2), 5);

    /// Clients that watch the server at a time.
    private static final int WATCHERS = 32;

    private final ServerOptions options;
    private final Router router;
    private final Semaphore watchers = new Semaphore(WATCHERS);
    private final JdkHttp http;
    private final Times times;
    private final Failures failures;
    private final BiConsumer<String, Throwable> log;
    private volatile @Nullable Serving serving;
    private volatile boolean isDraining;

    private ApiServer(ServerOptions options, ServerLog log, Times times) {
        this.options = options;
        this.times = times;
        this.log = log::defect;
        this.failures = new Failures(this.log, this::engineFailure);
        this.router = new Router(new ApiKeys(options.apiKeys(), options.limits().requestsPerKey()), failures);
        addRoutes();
        try {
            this.http = JdkHttp.start(new InetSocketAddress(options.host(), options.port()), router, log::access);
        } catch (IOException e) {
            throw new ListenException(
                    "cannot listen on " + options.host() + ":" + options.port() + ": " + e.getMessage()
                            + ". Choose another --port or --host, or end the program that uses this one",
                    e);
        }
    }

    /// Binds the address and answers requests with 503.
    ///
    /// @throws ListenException if the address cannot be bound
    public static ApiServer start(ServerOptions options, ServerLog log) {
        return start(options, log, TIMES);
    }

    /// @param stuckAfter time that a round of the engine may take before the engine counts as stuck
    /// @param retrySeconds time after which a client that was refused should ask again
    record Times(Duration stuckAfter, int retrySeconds) {}

    /// As [#start(ServerOptions, ServerLog)], with times that tests choose.
    static ApiServer start(ServerOptions options, ServerLog log, Times times) {
        return new ApiServer(options, log, times);
    }

    private @Nullable Throwable engineFailure() {
        Serving current = serving;
        return current == null ? null : current.model().engines().failure();
    }

    private void addRoutes() {
        PageFiles page = new PageFiles();
        router.add("GET", "/", Access.OPEN, page);
        router.add("GET", "/page/{id}", Access.OPEN, page);
        router.add("GET", "/v1/live", Access.KEY, loaded(serving -> new Live(serving, watchers, () -> isDraining)));
        router.add("GET", "/health", Access.OPEN, this::health);
        router.add("GET", "/health/ready", Access.OPEN, this::ready);
        router.add("GET", "/metrics", Access.OPEN, loaded(Metrics::new));
        router.add("GET", "/v1/models", Access.KEY, loaded(Models::new));
        router.add("POST", "/v1/chat/completions", Access.COUNTED, generating(ChatCompletions::new));
        router.add("POST", "/v1/completions", Access.COUNTED, generating(Completions::new));
        router.add("GET", "/v1/documents", Access.KEY, loaded(serving -> new Documents(serving)::list));
        router.add("POST", "/v1/documents", Access.COUNTED, generating(serving -> new Documents(serving)::create));
        router.add("POST", "/v1/documents/load", Access.COUNTED, generating(serving -> new Documents(serving)::load));
        router.add("GET", "/v1/documents/{id}", Access.KEY, loaded(serving -> new Documents(serving)::one));
        router.add("DELETE", "/v1/documents/{id}", Access.KEY, loaded(serving -> new Documents(serving)::delete));
        router.add("POST", "/v1/documents/{id}/save", Access.KEY, loaded(serving -> new Documents(serving)::save));
        router.add("GET", "/slots", Access.KEY, loaded(serving -> new SlotList(serving)::list));
        router.add("POST", "/slots/{id}", Access.COUNTED, generating(serving -> new SlotList(serving)::act));
        router.add("POST", "/tokenize", Access.KEY, loaded(Tokenize::new));
        router.add("POST", "/detokenize", Access.KEY, loaded(Detokenize::new));
    }

    private Endpoint loaded(Function<Serving, Endpoint> endpoint) {
        return exchange -> endpoint.apply(serving()).answer(exchange);
    }

    private Endpoint generating(Function<Serving, Endpoint> endpoint) {
        return exchange -> {
            if (isDraining) {
                throw draining();
            }
            failures.checkEngine(exchange.line());
            endpoint.apply(serving()).answer(exchange);
        };
    }

    private Serving serving() {
        Serving current = serving;
        if (current == null) {
            throw ApiException.unavailable(
                    "loading", "the model is being loaded; try again soon", times.retrySeconds());
        }
        return current;
    }

    private ApiException draining() {
        return ApiException.unavailable(
                "draining", "the server is shutting down and takes no further requests", times.retrySeconds());
    }

    /// Offers an engine from now on. The caller closes the engine after the server.
    ///
    /// @param names names that requests may use, at least one
    public void serve(Engine engine, List<String> names) {
        serve(List.of(engine), names);
    }

    /// Offers several engines of one model. The caller closes them after the server.
    ///
    /// @param engines at least one, with the same model and options
    /// @param names names that requests may use, at least one
    public void serve(List<Engine> engines, List<String> names) {
        EnginePool pool = new EnginePool(engines, failure -> log.accept("engine", failure));
        ServedModel model = new ServedModel(pool, names);
        ServerLimits limits = options.limits();
        DocumentStore documents = new DocumentStore(
                model,
                limits.documents(),
                options.documentFolder(),
                new SavedLimits(limits.savedDocuments(), limits.savedBytes()));
        try {
            documents.clean();
        } catch (UncheckedIOException e) {
            log.accept("folder of documents", e);
        }
        ServerMetrics metrics = new ServerMetrics(model.name(), pool::running, pool::waiting);
        metrics.memory(pool::memoryInUse);
        metrics.preemptions(pool::preemptions);
        metrics.engines(pool::working, pool.size());
        metrics.documents(documents::count, documents::tokens, documents::bytes);
        serving = new Serving(
                model,
                metrics,
                failures,
                StructuredOutput.start(() -> vocabulary(model)),
                new Slots(pool.batch()),
                new Semaphore(1, true),
                documents,
                RequestDefaults.of(model.recommended(), limits.defaultNewTokens(), limits.choices()),
                limits.bodyBytes(),
                limits.requestTime(),
                options.pingInterval());
    }

    /// @throws RuntimeException if the tokenizer cannot give what a grammar needs, with the reason
    private static GrammarVocabulary vocabulary(ServedModel model) {
        int[] ends = model.endIds();
        if (ends.length == 0) {
            throw new IllegalArgumentException(
                    "it names no token that ends an answer. Add eos_token_id to its generation_config.json");
        }
        return GrammarVocabulary.of(model.tokenizer(), ends);
    }

    /// Answers a request that came another way than through the address.
    void handle(Exchange exchange) {
        router.handle(exchange);
    }

    /// The address on which the server listens.
    public InetSocketAddress address() {
        return http.address();
    }

    /// Number of tokens that were generated for requests so far.
    public long generatedTokens() {
        Serving current = serving;
        return current == null ? 0 : current.metrics().generatedTokens();
    }

    private void health(Exchange exchange) {
        Serving current = serving();
        failures.checkEngine(exchange.line());
        EnginePool engines = current.model().engines();
        ObjectNode body = JsonBody.object();
        int working = engines.working();
        body.put("status", working < engines.size() ? "degraded" : "ok");
        body.put("engines", engines.size());
        body.put("broken_engines", engines.size() - working);
        state(exchange, body);
    }

    private void ready(Exchange exchange) {
        Serving current = serving();
        if (isDraining) {
            throw draining();
        }
        failures.checkEngine(exchange.line());
        Duration busy = current.model().engines().busyTime();
        if (busy.compareTo(times.stuckAfter()) > 0) {
            throw ApiException.unavailable(
                    "stuck",
                    "the engine has worked on one step for " + busy.toSeconds() + " s; it may take "
                            + times.stuckAfter().toSeconds() + " s at most. Start the server again if this stays",
                    times.retrySeconds());
        }
        ObjectNode body = JsonBody.object();
        body.put("status", "ready");
        state(exchange, body);
    }

    private static void state(Exchange exchange, ObjectNode body) {
        exchange.respond(200, ErrorBody.JSON_HEADERS, JsonBody.bytes(body));
    }

    /// Refuses further requests, waits for those that run, and stops.
    ///
    /// @param limit time to wait; requests that run longer are ended
    /// @return true if all requests ended in time
    /// @throws InterruptedException if the thread is interrupted; the server still listens then
    public boolean drain(Duration limit) throws InterruptedException {
        isDraining = true;
        Serving current = serving;
        boolean isDone = current == null || current.model().engines().drain(limit);
        // The last answers are on their way to their clients.
        http.stop(Duration.ofSeconds(1));
        closeFolder();
        return isDone;
    }

    private void closeFolder() {
        Serving current = serving;
        if (current != null) {
            current.documents().close();
        }
    }

    /// Closes all connections at once; their requests are cancelled.
    @Override
    public void close() {
        isDraining = true;
        http.close();
        closeFolder();
    }
}
