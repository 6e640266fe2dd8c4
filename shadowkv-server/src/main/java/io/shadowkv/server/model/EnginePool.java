package io.shadowkv.server.model;

import io.shadowkv.engine.MemoryInUse;
import io.shadowkv.engine.MemoryPlan;
import io.shadowkv.engine.Preemptions;
import io.shadowkv.engine.serve.Engine;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.ToIntFunction;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/// The engines of one model, usually one for each device. Thread-safe.
///
/// A request goes to the engine that holds the document with which its prompt begins, or the longest
/// prompt that it continues. Any other request goes to the engine with the fewest requests; of several
/// such engines, to the one with the most free memory. A broken engine gets no requests.
public final class EnginePool {
    private final List<PooledEngine> engines;
    private final Consumer<Throwable> breaks;
    private long choices;

    /// @param engines at least one, with the same model and options
    /// @param breaks receives the failure of each engine that breaks, once. The failure of the only
    ///     engine is not reported
    public EnginePool(List<Engine> engines, Consumer<Throwable> breaks) {
        if (engines.isEmpty()) {
            throw new IllegalArgumentException("there are no engines; give at least one");
        }
        this.engines = IntStream.range(0, engines.size())
                .mapToObj(number -> new PooledEngine(number, engines.get(number)))
                .toList();
        this.breaks = breaks;
    }

    /// An engine for what all have in common: the model's shape, tokenizer and options.
    public Engine any() {
        return engines.getFirst().engine();
    }

    public int size() {
        return engines.size();
    }

    /// Number of engines that are not broken.
    public int working() {
        return workingEngines().size();
    }

    private List<PooledEngine> workingEngines() {
        List<PooledEngine> working =
                engines.stream().filter(PooledEngine::isWorking).toList();
        if (working.size() < engines.size() && engines.size() > 1) {
            engines.forEach(engine -> engine.reportBreak(breaks));
        }
        return working;
    }

    /// Why no engine works; null if one does.
    public @Nullable Throwable failure() {
        return workingEngines().isEmpty() ? any().failure() : null;
    }

    /// Chooses the engine for a request, and remembers that it gets this prompt.
    public PooledEngine choose(int[] prompt) {
        if (engines.size() == 1) {
            return engines.getFirst();
        }
        PooledEngine longest = null;
        int most = 0;
        for (PooledEngine engine : workingEngines()) {
            int held = engine.heldTokens(prompt);
            if (held > most) {
                longest = engine;
                most = held;
            }
        }
        PooledEngine chosen = longest == null ? leastLoaded() : longest;
        chosen.gets(prompt);
        return chosen;
    }

    /// The engine with the fewest requests; of several such engines, the one with the most free memory,
    /// then the one that was chosen the longest time ago, because requests that arrive together see the
    /// same figures. If all engines are broken, the first.
    public synchronized PooledEngine leastLoaded() {
        PooledEngine chosen = workingEngines().stream()
                .min(Comparator.comparingInt(PooledEngine::requests)
                        .thenComparingDouble(PooledEngine::usedMemory)
                        .thenComparingLong(PooledEngine::lastChoice))
                .orElse(engines.getFirst());
        chosen.chosen(++choices);
        return chosen;
    }

    /// Number of requests whose prompts are read or that decode.
    public int running() {
        return sum(Engine::runningRequests);
    }

    /// Number of requests that wait for their turn.
    public int waiting() {
        return sum(Engine::waitingRequests);
    }

    /// All engines, the broken ones included.
    public List<Engine> all() {
        return engines.stream().map(PooledEngine::engine).toList();
    }

    /// Number of sequences that decode together on all engines.
    public int batch() {
        return sum(engine -> engine.options().maxBatch());
    }

    private int sum(ToIntFunction<Engine> figure) {
        return engines.stream()
                .mapToInt(engine -> figure.applyAsInt(engine.engine()))
                .sum();
    }

    /// How often sequences lost their memory to others on all engines.
    public Preemptions preemptions() {
        return engines.stream()
                .map(engine -> engine.engine().preemptions())
                .reduce(new Preemptions(0, 0), Preemptions::plus);
    }

    /// The memory of all sequences of the working engines; null if none works.
    public @Nullable MemoryInUse memoryInUse() {
        MemoryInUse all = null;
        for (PooledEngine engine : workingEngines()) {
            MemoryInUse one = engine.engine().memoryInUse();
            all = all == null ? one : sum(all, one);
        }
        return all;
    }

    private static MemoryInUse sum(MemoryInUse one, MemoryInUse other) {
        return new MemoryInUse(
                one.deviceBytes() + other.deviceBytes(),
                one.hostBytes() + other.hostBytes(),
                one.tokens() + other.tokens(),
                new MemoryPlan.Limits(
                        one.limits().deviceBytes() + other.limits().deviceBytes(),
                        one.limits().hostBytes() + other.limits().hostBytes(),
                        one.limits().hostIsDevice()));
    }

    /// How long the current step of a working engine has taken, the longest of all.
    public Duration busyTime() {
        return workingEngines().stream()
                .map(engine -> engine.engine().busyTime())
                .max(Comparator.naturalOrder())
                .orElse(Duration.ZERO);
    }

    /// Lets no engine take further requests, and waits until those that were submitted have ended.
    ///
    /// @param limit time for all engines together
    /// @return false if the time passed before that
    /// @throws InterruptedException if the thread is interrupted
    public boolean drain(Duration limit) throws InterruptedException {
        long end = System.nanoTime() + limit.toNanos();
        boolean isDone = true;
        for (PooledEngine engine : engines) {
            Duration left = Duration.ofNanos(Math.max(0, end - System.nanoTime()));
            isDone &= engine.engine().drain(left);
        }
        return isDone;
    }
}
