package io.shadowkv.cli.bench.serve;

import io.shadowkv.cli.bench.load.Goal;
import io.shadowkv.cli.bench.load.Load;
import io.shadowkv.cli.bench.load.TraceSpec;
import java.util.List;

/// What is measured, equal for all methods.
///
/// @param trace the requests
/// @param use how the client asks about documents
/// @param readsFirst true to read documents before the first request
/// @param loads measured one after the other
/// @param limitNanos time after which a load sends no further requests
/// @param goal what counts for goodput
/// @param warmup number of requests before the measured ones
/// @param seed determines lengths, contents and arrivals
record LoadPlan(
        TraceSpec trace,
        DocumentUse use,
        boolean readsFirst,
        List<Load> loads,
        long limitNanos,
        Goal goal,
        int warmup,
        long seed) {
    LoadPlan {
        loads = List.copyOf(loads);
    }
}
