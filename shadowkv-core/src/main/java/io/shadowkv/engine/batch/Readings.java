package io.shadowkv.engine.batch;

import io.shadowkv.cache.CacheStrategy;
import io.shadowkv.cache.SequenceCache;
import io.shadowkv.cache.prefill.LayerDensity;
import io.shadowkv.engine.PlannedSequence;
import io.shadowkv.engine.model.LoadedModel;
import io.shadowkv.op.Backend;
import io.shadowkv.tensor.CloseAll;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// The prompts that are being read. They take turns, unit by unit, so that a short prompt does not
/// wait for a long one.
///
/// While other sequences decode, a backend that can be divided reads at the same time ([Flight]). On
/// another one, a unit has so few rows that it takes at most the budget.
final class Readings {
    /// Maximum number of readings at a time. Each holds activations of its prompts.
    private static final int MAX_READINGS = 4;

    /// Minimum number of rows of a unit: fewer leave the products of a GPU mostly idle.
    private static final int MIN_ROWS = 128;

    /// How long to wait for a flight when nothing else can go on.
    private static final long FLIGHT_WAIT_MILLIS = 2;

    private final LoadedModel model;
    private final Ledger ledger;
    private final Prefixes prefixes;
    private final int prefillRows;
    private final ReadingPace pace;
    private final List<OpenReading> open = new ArrayList<>();
    private int turn;
    private int unitRows;
    private @Nullable Flight flight;

    Readings(LoadedModel model, Ledger ledger, Prefixes prefixes, int prefillRows, ReadingPace pace) {
        this.model = model;
        this.ledger = ledger;
        this.prefixes = prefixes;
        this.prefillRows = prefillRows;
        this.pace = pace;
        this.unitRows = Math.min(MIN_ROWS, prefillRows);
    }

    /// @param sequences the sequence of each prompt of the reading
    private record OpenReading(Reading reading, List<Sequence> sequences) {
        /// True if a sequence of it waits for the reading and its consumer has caught up.
        boolean isReady() {
            return sequences.stream()
                    .anyMatch(sequence ->
                            !sequence.hasEnded() && (sequence.events().isReady() || sequence.mustEnd()));
        }
    }

    /// A sequence whose prompt was read.
    ///
    /// @param logits after the last token, `[vocabulary]`
    record Sealed(Sequence sequence, float[] logits) {}

    /// @param opening number of readings that will be opened before
    boolean hasRoom(int opening) {
        return open.size() + opening < MAX_READINGS;
    }

    /// True if a reading can go on.
    boolean canAdvance() {
        return flight != null || open.stream().anyMatch(OpenReading::isReady);
    }

    /// True if turns of forks of a prefix are being read and can go on.
    boolean readTurnsOf(Prefix prefix) {
        return open.stream()
                .filter(OpenReading::isReady)
                .flatMap(reading -> reading.sequences().stream())
                .anyMatch(sequence -> !sequence.hasEnded() && sequence.prefix() == prefix);
    }

    /// Sequences that are being read.
    List<Sequence> sequences() {
        return open.stream()
                .flatMap(reading -> reading.sequences().stream())
                .filter(sequence -> !sequence.hasEnded())
                .toList();
    }

    /// Opens a reading of several prompts.
    ///
    /// @throws io.shadowkv.op.BackendMemoryException if the memory is not available
    void open(CacheStrategy strategy, List<Sequence> sequences) {
        List<Reading.Prompt> prompts = sequences.stream()
                .map(sequence ->
                        new Reading.Prompt(sequence.toRead(), sequence.planned().size()))
                .toList();
        opened(
                Reading.open(model, strategy, prompts, prefillRows),
                sequences,
                sequences.stream().map(Sequence::planned).toList());
    }

    /// Opens a reading of the further tokens of sequences that have a cache. The ledger holds the caches
    /// already.
    ///
    /// @throws io.shadowkv.op.BackendMemoryException if the memory is not available
    void openTurns(CacheStrategy strategy, TurnGroup group) {
        List<Reading.Turn> turns = group.sequences().stream()
                .map(sequence -> new Reading.Turn(sequence.toRead(), sequence.requireCache()))
                .toList();
        opened(Reading.openTurns(model, strategy, turns, prefillRows), group.sequences(), List.of(group.workspace()));
    }

    private void opened(Reading reading, List<Sequence> sequences, List<PlannedSequence> memory) {
        ledger.opens(reading, memory);
        sequences.forEach(Sequence::admitted);
        open.add(new OpenReading(reading, List.copyOf(sequences)));
    }

    /// Ends sequences that were cancelled, and frees their memory.
    void endCancelled() {
        for (OpenReading reading : List.copyOf(open)) {
            if (flight != null && flight.members.contains(reading)) {
                flight.landIfEnding(reading);
                continue;
            }
            List<Sequence> ended = new ArrayList<>();
            for (int i = 0; i < reading.sequences().size(); i++) {
                Sequence sequence = reading.sequences().get(i);
                if (!sequence.hasEnded() && sequence.mustEnd()) {
                    drop(reading, i);
                    ended.add(sequence);
                }
            }
            if (reading.reading().isAbandoned()) {
                close(reading);
            }
            ended.forEach(prefixes::end);
        }
    }

    private void drop(OpenReading reading, int prompt) {
        reading.reading().drop(prompt);
        ledger.ends(reading.reading(), reading.sequences().get(prompt).planned());
    }

    /// Reads: one large unit if nothing else runs, otherwise at the same time as the others decode, or
    /// units within a budget, at least one.
    ///
    /// @param othersDecode true if sequences wait for their next decode step
    /// @param stepNanos time of the step that was computed since the last call; 0 if none was
    /// @return sequences that were read to the end and must join the batch
    List<Sealed> advance(boolean othersDecode, long stepNanos) {
        List<Sealed> sealed = new ArrayList<>();
        if (model.backend().isDivisible()) {
            if (othersDecode) {
                advanceDivided(stepNanos, sealed);
                return sealed;
            }
            land(sealed);
            model.backend().divide(0);
        }
        long budget = pace.budget(stepNanos);
        long start = System.nanoTime();
        while (canAdvance()) {
            OpenReading next = open.get(turn++ % open.size());
            if (!next.isReady()) {
                continue;
            }
            long unitStart = System.nanoTime();
            advance(next, othersDecode ? unitRows : prefillRows, sealed);
            long now = System.nanoTime();
            if (!othersDecode) {
                break;
            }
            long unit = now - unitStart;
            adapt(unit, budget);
            if (now - start + unit > budget) {
                break;
            }
        }
        return sealed;
    }

    /// Keeps a unit between a sixth and half of the budget: more units than that waste the processor,
    /// fewer overshoot the budget.
    private void adapt(long unitNanos, long budget) {
        if (unitNanos > budget / 2) {
            unitRows = Math.max(Math.min(MIN_ROWS, prefillRows), unitRows / 2);
        } else if (unitNanos < budget / 6) {
            unitRows = Math.min(prefillRows, unitRows * 2);
        }
    }

    private void advance(OpenReading reading, int rows, List<Sealed> sealed) {
        RuntimeException failure = null;
        try {
            reading.reading().advance(rows);
        } catch (RuntimeException e) {
            failure = e;
        }
        advanced(reading, failure, sealed);
    }

    private void advanceDivided(long stepNanos, List<Sealed> sealed) {
        if (flight != null) {
            if (stepNanos == 0) {
                flight.awaitLanding();
            } else if (pace.stepped(stepNanos)) {
                flight.mustLand = true;
            }
            flight.report();
            boolean othersWait =
                    open.stream().anyMatch(reading -> reading.isReady() && !flight.members.contains(reading));
            if (othersWait) {
                flight.mustLand = true;
            }
            if (!flight.isDone()) {
                return;
            }
            land(sealed);
        }
        List<OpenReading> ready = open.stream().filter(OpenReading::isReady).toList();
        model.backend().divide(ready.isEmpty() ? 0 : pace.share());
        if (!ready.isEmpty()) {
            flight = new Flight(ready);
            flight.start();
        }
    }

    /// Ends the flight, if there is one: waits for its unit.
    private void land(List<Sealed> sealed) {
        Flight landing = flight;
        if (landing == null) {
            return;
        }
        landing.mustLand = true;
        flight = null;
        landing.join();
        landing.report();
        for (OpenReading reading : landing.members) {
            advanced(reading, landing.failures.get(reading), sealed);
        }
    }

    private void advanced(OpenReading reading, @Nullable RuntimeException failure, List<Sealed> sealed) {
        if (failure != null) {
            reading.sequences().forEach(sequence -> sequence.fail(failure));
            endAllFailed(reading);
            return;
        }
        report(reading, reading.reading().done());
        endCancelled();
        if (open.contains(reading) && reading.reading().isDone()) {
            seal(reading, sealed);
            endAllFailed(reading);
        }
    }

    private static void report(OpenReading reading, double done) {
        reading.sequences().forEach(sequence -> sequence.read(done));
    }

    private void seal(OpenReading reading, List<Sealed> sealed) {
        for (int i = 0; i < reading.sequences().size(); i++) {
            Sequence sequence = reading.sequences().get(i);
            if (sequence.hasEnded()) {
                continue;
            }
            try {
                sealed.add(seal(reading.reading(), i, sequence));
            } catch (RuntimeException e) {
                sequence.fail(e);
                drop(reading, i);
            }
        }
    }

    private Sealed seal(Reading reading, int prompt, Sequence sequence) {
        float[] logits = reading.logits(prompt);
        long start = System.nanoTime();
        List<LayerDensity> densities = reading.densities(prompt);
        SequenceCache cache = reading.seal(prompt);
        ledger.ends(reading, sequence.planned());
        ledger.holds(cache, sequence.planned());
        sequence.holds(cache);
        sequence.sealed(reading.indexingWaitNanos() + System.nanoTime() - start, densities);
        return new Sealed(sequence, logits);
    }

    /// Closes a reading, and then ends the sequences that failed in it.
    private void endAllFailed(OpenReading reading) {
        close(reading);
        model.backend().synchronize();
        reading.sequences().stream()
                .filter(sequence -> !sequence.hasEnded() && sequence.failure() != null)
                .forEach(prefixes::end);
    }

    private void close(OpenReading reading) {
        open.remove(reading);
        ledger.close(reading.reading());
    }

    /// Frees everything; the sequences do not end.
    void closeAll() {
        List<Runnable> closing = new ArrayList<>();
        Flight landing = flight;
        if (landing != null) {
            landing.mustLand = true;
            flight = null;
            closing.add(landing::join);
        }
        List.copyOf(open).forEach(reading -> closing.add(() -> close(reading)));
        CloseAll.of(closing, Runnable::run);
    }

    /// Readings that go on, unit by unit in turns, at the same time as others decode: until one of them
    /// is done or fails, or the flight must land. Their state belongs to the flight until it has landed.
    private final class Flight {
        private final List<OpenReading> members;
        private final Map<OpenReading, Double> done = new ConcurrentHashMap<>();
        private final Map<OpenReading, RuntimeException> failures = new ConcurrentHashMap<>();
        private final CountDownLatch landing = new CountDownLatch(1);
        private volatile boolean mustLand;
        private Backend.Ticket ticket = Backend.Ticket.DONE;

        Flight(List<OpenReading> members) {
            this.members = members;
        }

        void start() {
            ticket = model.backend().enqueueReading(this::fly);
        }

        private void fly() {
            try {
                do {
                    OpenReading next = members.get(Math.floorMod(turn++, members.size()));
                    if (!advance(next)) {
                        return;
                    }
                } while (!mustLand);
            } finally {
                landing.countDown();
            }
        }

        /// @return false if the reading is done or failed
        private boolean advance(OpenReading reading) {
            try {
                reading.reading().advance(prefillRows);
            } catch (RuntimeException e) {
                failures.put(reading, e);
                return false;
            }
            done.put(reading, reading.reading().done());
            return !reading.reading().isDone();
        }

        boolean isDone() {
            return ticket.isDone();
        }

        void join() {
            ticket.join();
        }

        /// Waits a short time, so that the caller does not spin.
        void awaitLanding() {
            try {
                landing.await(FLIGHT_WAIT_MILLIS, TimeUnit.MILLISECONDS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }

        /// Reports what was read since the last call.
        void report() {
            done.forEach((reading, share) -> {
                if (done.remove(reading, share)) {
                    Readings.report(reading, share);
                }
            });
        }

        void landIfEnding(OpenReading reading) {
            if (reading.sequences().stream().anyMatch(sequence -> !sequence.hasEnded() && sequence.mustEnd())) {
                mustLand = true;
            }
        }
    }
}
