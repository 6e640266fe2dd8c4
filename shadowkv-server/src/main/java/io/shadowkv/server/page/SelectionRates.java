package io.shadowkv.server.page;

import io.shadowkv.cache.LayerFetches;
import io.shadowkv.engine.SequenceFetches;
import io.shadowkv.op.Backend.Place;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Hit rate and fetched bytes of the last seconds of decoding, from the running totals of sequences.
/// When nothing decodes, the last figures stay.
final class SelectionRates {
    private static final long WINDOW_NANOS = 5_000_000_000L;

    private final Map<Long, Totals> latest = new HashMap<>();
    private final Deque<Change> window = new ArrayDeque<>();

    /// Running totals of one sequence.
    private record Totals(long selected, long missed, long hostBytes, long deviceBytes, int tokens) {
        static Totals of(SequenceFetches step) {
            long selected = 0;
            long missed = 0;
            long host = 0;
            long device = 0;
            for (LayerFetches layer : step.layers()) {
                selected += layer.selected();
                missed += layer.missed();
                host += layer.from() == Place.HOST ? layer.bytes() : 0;
                device += layer.from() == Place.DEVICE ? layer.bytes() : 0;
            }
            return new Totals(selected, missed, host, device, step.tokens());
        }

        Totals minus(Totals earlier) {
            return new Totals(
                    selected - earlier.selected,
                    missed - earlier.missed,
                    hostBytes - earlier.hostBytes,
                    deviceBytes - earlier.deviceBytes,
                    tokens - earlier.tokens);
        }
    }

    private record Change(long nanos, Totals totals) {}

    /// @param hitRate share of the selected units that were resident
    /// @param hostBytesPerToken bytes fetched from host memory for a token
    /// @param deviceBytesPerToken bytes fetched within device memory for a token
    record Rates(double hitRate, double hostBytesPerToken, double deviceBytesPerToken) {}

    /// Adds what was seen.
    ///
    /// @param now time in nanoseconds
    void add(List<SequenceFetches> steps, long now) {
        Map<Long, Totals> seen = new HashMap<>();
        for (SequenceFetches step : steps) {
            Totals totals = Totals.of(step);
            Totals before = latest.put(step.sequence(), totals);
            if (before != null && totals.selected() > before.selected()) {
                window.addLast(new Change(now, totals.minus(before)));
            }
            seen.put(step.sequence(), totals);
        }
        if (!seen.isEmpty()) {
            // A sequence that was not seen since the last event has ended, or is seen as a new one.
            latest.keySet().retainAll(seen.keySet());
            while (window.size() > 1 && now - window.getFirst().nanos() > WINDOW_NANOS) {
                window.removeFirst();
            }
        }
    }

    /// The figures; null before the first token that selected something.
    @Nullable
    Rates rates() {
        long selected = 0;
        long missed = 0;
        long host = 0;
        long device = 0;
        long tokens = 0;
        for (Change change : window) {
            selected += change.totals().selected();
            missed += change.totals().missed();
            host += change.totals().hostBytes();
            device += change.totals().deviceBytes();
            tokens += change.totals().tokens();
        }
        return tokens == 0
                ? null
                : new Rates(1 - (double) missed / selected, (double) host / tokens, (double) device / tokens);
    }
}
