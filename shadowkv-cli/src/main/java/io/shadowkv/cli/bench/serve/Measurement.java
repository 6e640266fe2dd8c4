package io.shadowkv.cli.bench.serve;

import io.shadowkv.cli.bench.load.AnswerRecord;
import io.shadowkv.cli.bench.load.AnswerSink;
import io.shadowkv.cli.bench.load.Arrivals;
import io.shadowkv.cli.bench.load.DocumentPool;
import io.shadowkv.cli.bench.load.Load;
import io.shadowkv.cli.bench.load.LoadDocument;
import io.shadowkv.cli.bench.load.LoadFailure;
import io.shadowkv.cli.bench.load.LoadRun;
import io.shadowkv.cli.bench.load.LoadSummary;
import io.shadowkv.cli.bench.load.LoadTarget;
import io.shadowkv.cli.bench.load.LoadTrace;
import io.shadowkv.cli.bench.load.PromptSource;
import io.shadowkv.cli.bench.load.TraceSpec;
import io.shadowkv.cli.process.ProgressLine;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// Measures all loads of a plan with one target.
///
/// @param via what the target is
/// @param info what the server says about its model
/// @param source draws prompts
/// @param held maximum number of documents that the client keeps
/// @param salt changes the contents of prompts but not their lengths, order and times
record Measurement(
        LoadPlan plan,
        LoadTarget target,
        LoadResult.Via via,
        ServedInfo info,
        PromptSource source,
        int held,
        long salt,
        LoadWatcher watcher) {
    private static final int WARMUP_TOKENS = 8192;
    private static final int WARMUP_ANSWER = 16;
    private static final int WARMUP_CLIENTS = 16;
    /// Distance of seeds that must not meet.
    private static final long STRIDE = 1_000_003;

    private static final AnswerSink IGNORED = new AnswerSink() {
        @Override
        public void arrived() {}

        @Override
        public void counted(int promptTokens, int cachedTokens, int answerTokens) {}
    };

    /// @param results receives each result as soon as it is there. After an interruption it receives
    ///     what was measured, and no further load is measured
    /// @throws LoadFailure if a request of the warm-up fails, or a document is not read beforehand
    /// @throws java.util.concurrent.CancellationException if the user ends the warm-up or the reading
    /// @throws InterruptedException if the thread is interrupted
    void run(Consumer<LoadResult> results) throws InterruptedException {
        DocumentPool pool = plan.use().keepsDocuments() && plan.trace() instanceof TraceSpec.Documents
                ? new DocumentPool(target, held)
                : null;
        watcher.run(() -> {
            warmUp(pool);
            return null;
        });
        for (int i = 0; i < plan.loads().size() && !watcher.isCut(); i++) {
            results.accept(measure(i, pool));
            if (pool != null && !plan.readsFirst()) {
                pool.clear();
            }
        }
        if (pool != null) {
            pool.clear();
        }
    }

    /// Everything that is compiled or tuned at first use. The first request alone, so that its failure
    /// ends the command with its message.
    private void warmUp(@Nullable DocumentPool pool) throws InterruptedException {
        if (plan.warmup() == 0) {
            return;
        }
        LoadTrace trace = LoadTrace.of(warmupSpec(), source, plan.seed(), seed(-1), seed(-1));
        LoadDocument document = trace.request(0).document();
        if (pool != null && document != null) {
            pool.enter(document);
        }
        target.answer(trace.request(0), IGNORED);
        if (pool != null && document != null) {
            pool.leave(document);
        }
        if (trace.size() > 1) {
            new LoadRun(target, trace, pool, watcher.cancellation(), (ended, failed) -> {})
                    .closed(WARMUP_CLIENTS, Long.MAX_VALUE);
        }
        if (pool != null) {
            pool.clear();
        }
    }

    private TraceSpec warmupSpec() {
        int answer = Math.min(WARMUP_ANSWER, plan.trace().answerTokens());
        return switch (plan.trace()) {
            case TraceSpec.Chat chat ->
                new TraceSpec.Chat(plan.warmup(), chat.leastTokens(), chat.mostTokens(), answer);
            case TraceSpec.Documents some -> {
                int tokens = Math.min(WARMUP_TOKENS, some.leastTokens());
                yield new TraceSpec.Documents(
                        1, tokens, tokens, plan.warmup(), some.questionTokens(), answer, some.order());
            }
        };
    }

    private long seed(int load) {
        return plan.seed() + STRIDE * (load + 1) + STRIDE * STRIDE * salt;
    }

    private LoadResult measure(int index, @Nullable DocumentPool pool) throws InterruptedException {
        Load load = plan.loads().get(index);
        // Documents that are read beforehand serve all loads.
        long documentSeed = seed(plan.readsFirst() ? 0 : index);
        LoadTrace trace = LoadTrace.of(plan.trace(), source, plan.seed(), documentSeed, seed(index));
        int before = readings(pool).size();
        long start = System.nanoTime();
        if (pool != null && plan.readsFirst()) {
            watcher.run(() -> {
                readFirst(trace, pool);
                return null;
            });
        }
        double readSeconds = (System.nanoTime() - start) / 1e9;
        List<DocumentPool.Reading> first =
                readings(pool).subList(before, readings(pool).size());
        List<AnswerRecord> records = new ArrayList<>();
        LoadRun run;
        try (ProgressLine line = watcher.bar(info.method() + " " + load)) {
            int total = total(trace, load);
            long begun = System.nanoTime();
            run = new LoadRun(target, trace, pool, watcher.cancellation(), (ended, failed) -> {
                double time = (double) (System.nanoTime() - begun) / plan.limitNanos();
                line.update(
                        Math.max((double) ended / total, Math.min(time, 0.99)),
                        ended + " answers" + (failed > 0 ? ", " + failed + " failed" : ""));
            });
            switch (load) {
                case Load.Rate rate -> records.addAll(run.open(arrivals(trace, rate)));
                case Load.Clients clients -> records.addAll(run.closed(clients.count(), plan.limitNanos()));
            }
        }
        List<DocumentPool.Reading> all = readings(pool);
        return new LoadResult(
                via,
                info,
                load,
                pool == null ? 0 : held,
                first,
                first.isEmpty() ? 0 : readSeconds,
                all.subList(before + first.size(), all.size()),
                LoadSummary.of(records, plan.goal()),
                run.firstMessages(),
                watcher.isCut());
    }

    private int total(LoadTrace trace, Load load) {
        return load instanceof Load.Rate rate ? arrivals(trace, rate).length : trace.size();
    }

    private long[] arrivals(LoadTrace trace, Load.Rate rate) {
        // The seed of the arrivals is that of the plan: equal times for all methods.
        return Arrivals.before(Arrivals.poisson(rate.perSecond(), trace.size(), plan.seed()), plan.limitNanos());
    }

    private static List<DocumentPool.Reading> readings(@Nullable DocumentPool pool) {
        return pool == null ? List.of() : pool.readings();
    }

    private void readFirst(LoadTrace trace, DocumentPool pool) throws InterruptedException {
        Set<LoadDocument> wanted = new LinkedHashSet<>();
        for (int i = 0; i < trace.size() && wanted.size() < held; i++) {
            LoadDocument document = trace.request(i).document();
            if (document != null) {
                wanted.add(document);
            }
        }
        int done = 0;
        try (ProgressLine line = watcher.bar("reading " + wanted.size() + " documents")) {
            for (LoadDocument document : wanted) {
                pool.enter(document);
                pool.leave(document);
                line.update((double) ++done / wanted.size());
            }
        }
    }
}
