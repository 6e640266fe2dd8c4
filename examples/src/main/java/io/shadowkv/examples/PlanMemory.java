package io.shadowkv.examples;

import io.shadowkv.cache.KvCacheSpec;
import io.shadowkv.engine.EngineOptions;
import io.shadowkv.engine.MemoryPlan;
import io.shadowkv.engine.serve.Backends;
import io.shadowkv.engine.serve.Engine;
import io.shadowkv.op.BackendProvider.BackendOptions;
import java.nio.file.Path;
import java.util.List;

/// Compares what full attention and ShadowKV will need, before anything is allocated: `PlanMemory MODEL-FOLDER TOKENS
/// BATCH`.
public final class PlanMemory {
    private static final double MIB = 1 << 20;

    private PlanMemory() {}

    public static void main(String... arguments) {
        int tokens = Integer.parseInt(arguments[1]);
        int batch = Integer.parseInt(arguments[2]);
        try (var backend = Backends.open("auto", BackendOptions.DEFAULT).backend();
                Engine engine = Engine.open(Path.of(arguments[0]), backend, EngineOptions.DEFAULT)) {
            for (KvCacheSpec cache : List.of(new KvCacheSpec.Full(), KvCacheSpec.Shadow.DEFAULT)) {
                MemoryPlan plan = engine.plan(cache, tokens, batch);
                IO.println("%s: %.1f MiB resident, %.1f MiB offloaded"
                        .formatted(plan.strategy(), plan.residentBytes() / MIB, plan.offloadedBytes() / MIB));
                IO.println(
                        plan.isAdmitted()
                                ? "fits; at most %,d such sequences would".formatted(plan.largestBatch())
                                : plan.refusal());
            }
        }
    }
}
