package io.shadowkv.cli.bench.e2e;

import io.shadowkv.cache.KvCacheSpec;
import io.shadowkv.cache.prefill.PrefillSpec;
import io.shadowkv.cli.option.ModelSource;
import io.shadowkv.engine.ContextLengthException;
import io.shadowkv.engine.EngineOptions;
import io.shadowkv.engine.serve.Engine;
import io.shadowkv.op.Backend;
import io.shadowkv.op.timing.TimedBackend;
import io.shadowkv.tensor.WeightPrecision;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.OptionalDouble;
import java.util.concurrent.CancellationException;

/// Measures every method at every length, one run after the other. Each run opens the model again,
/// so that it does not see memory that an earlier run left allocated.
final class E2eRun {
    private final E2eOptions options;
    private final ModelSource model;
    private final KvCacheSpec.Shadow shadow;
    private final EngineOptions engineOptions;
    private final Backend backend;
    private final RunWatcher watcher;

    /// @param engineOptions options of all runs except for the method and the batch
    /// @param backend remains owned by the caller
    E2eRun(
            E2eOptions options,
            ModelSource model,
            KvCacheSpec.Shadow shadow,
            EngineOptions engineOptions,
            Backend backend,
            RunWatcher watcher) {
        this.options = options;
        this.model = model;
        this.shadow = shadow;
        this.engineOptions = engineOptions;
        this.backend = backend;
        this.watcher = watcher;
    }

    /// Measures all runs. A run that fails takes no other run with it: the printer keeps its failure, and the next one
    /// starts.
    ///
    /// @throws CancellationException if it was cancelled
    void run(E2ePrinter printer) {
        watcher.checkOn();
        Ceilings ceilings = Ceilings.measure(backend);
        List<KvCacheSpec> strategies = new ArrayList<>();
        if (options.runsFull()) {
            strategies.add(new KvCacheSpec.Full());
        }
        if (options.runsShadow()) {
            strategies.add(shadow);
        }
        for (int tokens : options.contexts()) {
            for (KvCacheSpec strategy : strategies) {
                Measured measured;
                try {
                    measured = measure(strategy, tokens, ceilings);
                } catch (CancellationException e) {
                    throw e;
                } catch (RuntimeException | OutOfMemoryError e) {
                    printer.failed(new E2eFailure(strategy.name(), tokens, e));
                    continue;
                }
                // Outside: what cannot be printed ends the command.
                printer.measured(measured.setup(), measured.result());
            }
        }
    }

    private record Measured(E2eSetup setup, E2eResult result) {}

    private Measured measure(KvCacheSpec strategy, int tokens, Ceilings ceilings) {
        watcher.checkOn();
        long free = backend.availableBytes(Backend.Place.DEVICE);
        try (TimedBackend timed = new TimedBackend(backend);
                Engine engine =
                        model.open(timed, engineOptions.withCache(strategy).withMaxBatch(1))) {
            int capacity = options.capacity(tokens);
            if (capacity > engine.contextTokens()) {
                throw new ContextLengthException(
                        "%,d tokens and %,d for the steps exceed the context of %s, %,d tokens%s. Give a smaller --context."
                                .formatted(
                                        tokens,
                                        capacity - tokens,
                                        model.name(),
                                        engine.contextTokens(),
                                        engine.spec().contextNote()));
            }
            var measurement = new E2eMeasurement(options, engine, timed, tokens, free, watcher);
            return new Measured(setup(model, options, engine, ceilings), measurement.run());
        }
    }

    /// The format of the weights in memory.
    private static String weights(ModelSource model, Engine engine) {
        WeightPrecision precision = engine.options().weights();
        if (precision != WeightPrecision.STORED) {
            return precision.toString();
        }
        return model instanceof ModelSource.Random || !engine.checkpoint().isQuantised()
                ? engine.weightType().toString()
                : engine.checkpoint().weightFormat();
    }

    /// The conditions of a measurement.
    static E2eSetup setup(ModelSource model, E2eOptions options, Engine engine, Ceilings ceilings) {
        Backend backend = engine.backend();
        return new E2eSetup(
                model.name(),
                model instanceof ModelSource.Random,
                engine.spec().layers(),
                weights(model, engine),
                engine.kvType().toString(),
                E2eMeasurement.prefillRows(engine),
                engine.options().valuePlace().name().toLowerCase(Locale.ROOT),
                backend.name(),
                backend.description(),
                ceilings,
                options.warmupSteps(),
                options.timedSteps(),
                options.profiledSteps(),
                engine.options().prefill().label(),
                options.clonesPrefill(),
                options.forcedHitRate(),
                engine.options().prefill() instanceof PrefillSpec.Blocks blocks
                        ? blocks.forcedShare()
                        : OptionalDouble.empty(),
                options.seed());
    }
}
