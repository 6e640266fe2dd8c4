package io.shadowkv.cli.bench.serve;

import io.shadowkv.cache.KvCacheSpec;
import io.shadowkv.cli.bench.load.TraceSpec;
import io.shadowkv.cli.option.Devices;
import io.shadowkv.cli.option.ModelSource;
import io.shadowkv.cli.serve.HttpLimits;
import io.shadowkv.cli.serve.PrintedLog;
import io.shadowkv.engine.EngineOptions;
import io.shadowkv.engine.serve.Engine;
import io.shadowkv.server.ApiServer;
import io.shadowkv.server.ServerOptions;
import io.shadowkv.tensor.CloseAll;
import java.io.PrintWriter;
import java.util.List;

/// A server in this process, on a free port of this machine.
///
/// @param engines the engines that it offers, at least one
/// @param server listens at [#url]
record LocalServer(List<Engine> engines, ApiServer server) implements AutoCloseable {
    /// @param devices remain owned by the caller
    /// @param used number of devices to use
    /// @param hitRate of a synthetic selection; NaN for the model's own
    /// @param err receives defects of the server
    static LocalServer start(
            ModelSource model, Devices devices, int used, EngineOptions options, double hitRate, PrintWriter err) {
        HttpLimits.apply(ServerOptions.DEFAULT.limits().requestTime());
        List<Engine> engines = devices.engines(model, options, used);
        try {
            engines.forEach(engine -> engine.forceHitRate(hitRate));
            ApiServer server = ApiServer.start(ServerOptions.DEFAULT.withPort(0), new PrintedLog(err, false, false));
            return serve(server, engines, model.name());
        } catch (RuntimeException | Error e) {
            CloseAll.after(e, engines, Engine::close);
            throw e;
        }
    }

    private static LocalServer serve(ApiServer server, List<Engine> engines, String name) {
        try {
            server.serve(engines, List.of(name));
            return new LocalServer(engines, server);
        } catch (RuntimeException | Error e) {
            CloseAll.after(e, List.of(server), ApiServer::close);
            throw e;
        }
    }

    String url() {
        return "http://127.0.0.1:" + server.address().getPort();
    }

    Engine first() {
        return engines.getFirst();
    }

    /// Number of documents that a client can keep and still ask about. Under full attention each
    /// question needs a copy of its document; under ShadowKV it shares the document's memory.
    int admittedDocuments(TraceSpec trace) {
        if (!(trace instanceof TraceSpec.Documents some)) {
            return 1;
        }
        int mean = some.leastTokens() + (some.mostTokens() - some.leastTokens()) / 2 + tail(some);
        Engine engine = first();
        int ofMean = engine.plan(mean, 1).largestBatch();
        int ofLongest = engine.plan(some.mostTokens() + tail(some), 1).largestBatch();
        boolean isFull = engine.options().cache() instanceof KvCacheSpec.Full;
        int most = Math.min(isFull ? ofMean / 2 : ofMean - 1, ofLongest - 1);
        return Math.clamp((long) Math.max(1, most) * engines.size(), 1, some.documents());
    }

    private static int tail(TraceSpec.Documents trace) {
        return trace.questionTokens() + trace.answerTokens();
    }

    @Override
    public void close() {
        List<Runnable> closing = List.of(server::close, () -> CloseAll.of(engines, Engine::close));
        CloseAll.of(closing, Runnable::run);
    }
}
