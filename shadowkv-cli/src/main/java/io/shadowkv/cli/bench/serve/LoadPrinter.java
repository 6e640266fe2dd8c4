package io.shadowkv.cli.bench.serve;

import io.shadowkv.cli.bench.load.DocumentPool;
import io.shadowkv.cli.bench.load.LoadSummary;
import io.shadowkv.cli.bench.load.Spread;
import io.shadowkv.cli.bench.serve.LoadResult.Via;
import java.io.PrintWriter;
import java.util.List;
import java.util.Locale;

/// Prints results for people.
///
/// @param out where they are printed
/// @param plan what was measured
record LoadPrinter(PrintWriter out, LoadPlan plan) {
    /// Prints one result.
    void print(LoadResult result) {
        LoadSummary summary = result.summary();
        line(String.format(
                Locale.ROOT,
                "%s, %s, %s%s",
                result.info().model(),
                result.name(),
                result.load(),
                result.isCut() ? " (interrupted)" : ""));
        readings("read before the first request", result.readFirst(), result.readSeconds());
        readings(
                "read while requests were sent",
                result.readings(),
                result.readings().stream()
                        .mapToDouble(DocumentPool.Reading::seconds)
                        .sum());
        line(String.format(
                Locale.ROOT,
                "  %-36s %d whole, %d failed%s",
                "requests",
                summary.completed(),
                summary.failed(),
                interrupted(summary)));
        summary.errors()
                .forEach((kind, count) -> line(String.format(
                        Locale.ROOT,
                        "    %-34s %d (%s)",
                        kind,
                        count,
                        result.firstMessages().getOrDefault(kind, "no message"))));
        line(String.format(Locale.ROOT, "  %-36s %.2f", "benchmark duration (s)", summary.seconds()));
        line(String.format(
                Locale.ROOT,
                "  %-36s %,d, cached %,d",
                "input tokens",
                summary.promptTokens(),
                summary.cachedTokens()));
        line(String.format(Locale.ROOT, "  %-36s %,d", "generated tokens", summary.answerTokens()));
        line(String.format(Locale.ROOT, "  %-36s %.3f", "request throughput (req/s)", summary.requestThroughput()));
        line(String.format(
                Locale.ROOT,
                "  %-36s %.3f (%d requests: %s)",
                "request goodput (req/s)",
                summary.goodput(),
                summary.goodRequests(),
                plan.goal()));
        if (result.readSeconds() > 0) {
            line(String.format(
                    Locale.ROOT, "  %-36s %.3f", "goodput with the reading before", result.goodputWithReading()));
        }
        line(String.format(Locale.ROOT, "  %-36s %.1f", "output token throughput (tok/s)", summary.outputThroughput()));
        line(String.format(Locale.ROOT, "  %-36s %.1f", "total token throughput (tok/s)", summary.totalThroughput()));
        line(String.format(Locale.ROOT, "  %-36s %d", "peak concurrent requests", summary.peakRequests()));
        line(String.format(
                Locale.ROOT, "  %-36s %9s %9s %9s %9s %9s", "latency (ms)", "mean", "p50", "p90", "p99", "max"));
        spread("time to first token (TTFT)", summary.firstToken());
        spread("time per output token (TPOT)", summary.perToken());
        spread("inter-token latency (ITL)", summary.gap());
        spread("end to end (E2EL)", summary.endToEnd());
        spread("send delay of the generator", summary.sendDelay());
        out.println();
        out.flush();
    }

    private void readings(String what, List<DocumentPool.Reading> readings, double seconds) {
        if (!readings.isEmpty()) {
            long tokens =
                    readings.stream().mapToLong(DocumentPool.Reading::tokens).sum();
            line(String.format(
                    Locale.ROOT,
                    "  %-36s %d of %,d tokens, %.2f s",
                    "documents " + what,
                    readings.size(),
                    tokens,
                    seconds));
        }
    }

    private static String interrupted(LoadSummary summary) {
        return summary.interrupted() == 0 ? "" : ", " + summary.interrupted() + " stopped by the interruption";
    }

    private void spread(String name, Spread spread) {
        line(String.format(
                Locale.ROOT,
                "  %-36s %9.2f %9.2f %9.2f %9.2f %9.2f",
                name,
                spread.mean(),
                spread.p50(),
                spread.p90(),
                spread.p99(),
                spread.max()));
    }

    private void line(String text) {
        out.println(text.stripTrailing());
    }

    /// Compares methods, numbers of engines, and servers with the bare engine, load by load.
    void compare(List<LoadResult> results) {
        for (LoadResult one : results) {
            for (LoadResult other : results) {
                if (one.load().equals(other.load()) && !one.isCut() && !other.isCut()) {
                    compare(one, other);
                }
            }
        }
        out.flush();
    }

    private void compare(LoadResult one, LoadResult other) {
        boolean isSameMethod = one.info().method().equals(other.info().method());
        if (isSameMethod && one.via() == Via.SERVER && other.via() == Via.ENGINE) {
            overhead(one, other);
        } else if (isSameMethod && one.engines() > other.engines()) {
            scaling(one, other);
        } else if (isShadow(one) && isFull(other) && one.via() == other.via() && one.engines() == other.engines()) {
            methods(one, other);
        }
    }

    private void methods(LoadResult shadow, LoadResult full) {
        line(String.format(
                Locale.ROOT,
                "%s: goodput of shadowkv %.3f/s, of full %.3f/s: %s; request throughput %s%s",
                shadow.load(),
                shadow.summary().goodput(),
                full.summary().goodput(),
                times(shadow.summary().goodput(), full.summary().goodput()),
                times(shadow.summary().requestThroughput(), full.summary().requestThroughput()),
                shadow.via() == Via.ENGINE ? " (bare engine)" : ""));
    }

    private void scaling(LoadResult more, LoadResult fewer) {
        line(String.format(
                Locale.ROOT,
                "%s, %s: %d engines compared with %d: request throughput %s, output tokens %s, goodput %s",
                more.info().method(),
                more.load(),
                more.engines(),
                fewer.engines(),
                times(more.summary().requestThroughput(), fewer.summary().requestThroughput()),
                times(more.summary().outputThroughput(), fewer.summary().outputThroughput()),
                times(more.summary().goodput(), fewer.summary().goodput())));
    }

    private void overhead(LoadResult server, LoadResult engine) {
        line(String.format(
                Locale.ROOT,
                "%s, %s: server compared with the bare engine: request throughput %s, time to first token p50 %s, time"
                        + " per output token p50 %s, end to end mean %s",
                server.name(),
                server.load(),
                times(server.summary().requestThroughput(), engine.summary().requestThroughput()),
                times(
                        server.summary().firstToken().p50(),
                        engine.summary().firstToken().p50()),
                times(
                        server.summary().perToken().p50(),
                        engine.summary().perToken().p50()),
                times(
                        server.summary().endToEnd().mean(),
                        engine.summary().endToEnd().mean())));
    }

    private static boolean isFull(LoadResult result) {
        return result.info().method().equals("full");
    }

    private static boolean isShadow(LoadResult result) {
        return result.info().method().equals("shadowkv");
    }

    private static String times(double one, double other) {
        return other > 0 ? String.format(Locale.ROOT, "%.3f times", one / other) : "no ratio (nothing to compare with)";
    }
}
