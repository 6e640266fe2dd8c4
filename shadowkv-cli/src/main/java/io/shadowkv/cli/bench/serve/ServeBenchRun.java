package io.shadowkv.cli.bench.serve;

import io.shadowkv.cache.KvCacheSpec;
import io.shadowkv.cli.bench.load.LoadTarget;
import io.shadowkv.cli.bench.load.PromptSource;
import io.shadowkv.cli.bench.load.TraceSpec;
import io.shadowkv.cli.option.Devices;
import io.shadowkv.cli.option.ModelSource;
import io.shadowkv.engine.EngineOptions;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// Measures a server, or several methods one after the other with the same trace.
///
/// @param plan what is measured
/// @param areIds true for random token ids
/// @param vocabulary number of ids; null for what the server says
/// @param held maximum number of documents that the client keeps; null for the default
/// @param watcher shows progress
/// @param results receives each result as soon as it is there
record ServeBenchRun(
        LoadPlan plan,
        boolean areIds,
        @Nullable Integer vocabulary,
        @Nullable Integer held,
        LoadWatcher watcher,
        Consumer<LoadResult> results) {
    /// Measures a server that runs already.
    ///
    /// @param model name of the model; null for the first one that the server lists
    /// @throws io.shadowkv.cli.bench.load.LoadFailure if the server does not answer
    /// @throws CancellationException if the user ends it before the first request
    /// @throws InterruptedException if the thread is interrupted
    void remote(ServerConnection connection, @Nullable String model) throws InterruptedException {
        int documents = plan.trace() instanceof TraceSpec.Documents some ? some.documents() : 1;
        measure(connection, model, held == null ? documents : held);
    }

    private ServedInfo measure(ServerConnection connection, @Nullable String model, int documents)
            throws InterruptedException {
        ServedInfo info = ServedInfo.read(connection, model);
        PromptSource source = info.source(connection, areIds, vocabulary);
        LoadTarget target = new HttpTarget(connection, info.model(), plan.use());
        new Measurement(plan, target, LoadResult.Via.SERVER, info, source, documents, 0, watcher).run(results);
        return info;
    }

    /// Measures a model in this process under several methods.
    ///
    /// @param devices remain owned by the caller
    /// @param counts numbers of devices to use, one after the other
    /// @param options options of all engines, except for the method
    /// @param hitRate of a synthetic selection under ShadowKV; NaN for the model's own
    /// @param measuresEngine true to measure the bare engine in addition to the server
    /// @throws CancellationException if the user ends it before the first request of a method
    /// @throws InterruptedException if the thread is interrupted
    void local(
            ModelSource model,
            Devices devices,
            List<Integer> counts,
            EngineOptions options,
            List<KvCacheSpec> methods,
            double hitRate,
            boolean measuresEngine)
            throws InterruptedException {
        for (KvCacheSpec method : methods) {
            double rate = method instanceof KvCacheSpec.Shadow ? hitRate : Double.NaN;
            for (int count : counts) {
                if (watcher.isCut()) {
                    throw new CancellationException("interrupted");
                }
                try (LocalServer server =
                        LocalServer.start(model, devices, count, options.withCache(method), rate, watcher.err())) {
                    measure(server, measuresEngine);
                }
            }
        }
    }

    private void measure(LocalServer server, boolean measuresEngine) throws InterruptedException {
        int documents = held == null ? server.admittedDocuments(plan.trace()) : held;
        try (ServerConnection connection = new ServerConnection(server.url(), null)) {
            ServedInfo info = measure(connection, null, documents);
            if (measuresEngine && !watcher.isCut()) {
                // Other contents, or the engine would find the prompts of the server's run.
                PromptSource source =
                        new PromptSource.RandomIds(server.first().spec().vocabularySize());
                LoadTarget target = new EngineTarget(server.first());
                new Measurement(plan, target, LoadResult.Via.ENGINE, info, source, documents, 1, watcher).run(results);
            }
        }
    }
}
