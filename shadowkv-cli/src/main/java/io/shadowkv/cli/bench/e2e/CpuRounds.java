package io.shadowkv.cli.bench.e2e;

import io.shadowkv.cache.KvCacheSpec;
import io.shadowkv.cli.option.ModelSource;
import io.shadowkv.engine.ContextLengthException;
import io.shadowkv.engine.EngineOptions;
import io.shadowkv.engine.serve.Engine;
import io.shadowkv.op.Backend;
import io.shadowkv.op.Backend.Place;
import io.shadowkv.op.timing.TimedBackend;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/// All cases of `bench cpu`, measured again and again. The engines of all methods are open at the same
/// time.
final class CpuRounds implements AutoCloseable {
    /// One method at one length and batch.
    ///
    /// @param options with this length alone
    record Case(KvCacheSpec strategy, E2eOptions options) {
        int tokens() {
            return options.contexts().getFirst();
        }
    }

    private final List<Case> cases;
    private final ModelSource model;
    private final RunWatcher watcher;
    private final TimedBackend backend;
    private final Ceilings ceilings;
    private final Map<String, Engine> engines = new LinkedHashMap<>();
    private final Map<Case, List<E2eResult>> results = new LinkedHashMap<>();

    /// @param engineOptions options of all engines except for the method
    /// @param backend remains owned by the caller
    CpuRounds(ModelSource model, List<Case> cases, EngineOptions engineOptions, Backend backend, RunWatcher watcher) {
        this.model = model;
        this.cases = cases;
        this.watcher = watcher;
        this.backend = new TimedBackend(backend);
        ceilings = Ceilings.measure(backend);
        try {
            for (Case each : cases) {
                KvCacheSpec strategy = each.strategy();
                engines.computeIfAbsent(
                        strategy.name(),
                        name -> model.open(
                                this.backend, engineOptions.withCache(strategy).withMaxBatch(1)));
                results.put(each, new ArrayList<>());
                check(each);
            }
        } catch (RuntimeException | Error e) {
            close();
            throw e;
        }
    }

    private Engine engine(Case each) {
        return Objects.requireNonNull(engines.get(each.strategy().name()));
    }

    private void check(Case each) {
        int context = engine(each).contextTokens();
        int capacity = each.options().capacity(each.tokens());
        if (capacity > context) {
            throw new ContextLengthException(
                    "%,d tokens and %,d for the steps exceed the context of %s, %,d tokens%s. Give a smaller --context."
                            .formatted(
                                    each.tokens(),
                                    capacity - each.tokens(),
                                    model.name(),
                                    context,
                                    engine(each).spec().contextNote()));
        }
    }

    /// Measures every case once.
    ///
    /// @param round number of the round, from which prompts are drawn
    /// @param counts false for a round that warms up
    /// @throws java.util.concurrent.CancellationException if it was cancelled
    void run(int round, boolean counts) {
        for (Case each : cases) {
            watcher.checkOn();
            E2eOptions options = each.options().withSeed(each.options().seed() + 1000L * round);
            var measurement = new E2eMeasurement(
                    options, engine(each), backend, each.tokens(), backend.availableBytes(Place.DEVICE), watcher);
            E2eResult result = measurement.measure();
            if (counts) {
                Objects.requireNonNull(results.get(each)).add(result);
            }
        }
    }

    List<Case> cases() {
        return cases;
    }

    /// The results of a case, in the order of the rounds.
    List<E2eResult> results(Case each) {
        return List.copyOf(Objects.requireNonNull(results.get(each)));
    }

    E2eSetup setup(Case each) {
        return E2eRun.setup(model, each.options(), engine(each), ceilings);
    }

    @Override
    public void close() {
        engines.values().forEach(Engine::close);
    }
}
