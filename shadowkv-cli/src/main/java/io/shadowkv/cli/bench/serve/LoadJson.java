package io.shadowkv.cli.bench.serve;

import io.shadowkv.cli.bench.load.DocumentPool;
import io.shadowkv.cli.bench.load.Goal;
import io.shadowkv.cli.bench.load.Load;
import io.shadowkv.cli.bench.load.LoadSummary;
import io.shadowkv.cli.bench.load.Spread;
import io.shadowkv.cli.bench.load.TraceSpec;
import io.shadowkv.cli.process.Machine;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Locale;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/// A result as a complete JSON object with all conditions of its measurement. The figures have the
/// names of vLLM's `bench serve`.
///
/// @param machine where the generator runs
/// @param plan what was measured
/// @param hitRate of a synthetic selection; NaN for the model's own
record LoadJson(Machine machine, LoadPlan plan, double hitRate) {
    ObjectNode of(LoadResult result) {
        ObjectNode root = JsonMapper.shared().createObjectNode();
        root.put("benchmark", "serve");
        root.put("time", Instant.now().truncatedTo(ChronoUnit.SECONDS).toString());
        root.put("commit", machine.commit());
        root.put("dirty", machine.isChanged());
        root.put("java", machine.java());
        root.put("processor", machine.processor());
        root.put("cores", machine.cores());
        root.put("system", machine.system());
        root.put("via", result.via().name().toLowerCase(Locale.ROOT));
        root.put("model", result.info().model());
        root.put("method", result.info().method());
        root.set("server", result.info().facts());
        if (result.info().method().equals("shadowkv")) {
            number(root, "forced_hit_rate", hitRate);
        }
        trace(root.putObject("trace"));
        switch (result.load()) {
            case Load.Rate rate -> {
                root.put("request_rate", rate.perSecond());
                root.put("burstiness", 1.0);
            }
            case Load.Clients clients -> root.put("max_concurrency", clients.count());
        }
        root.put("seed", plan.seed());
        root.put("warmup_requests", plan.warmup());
        root.put("interrupted", result.isCut());
        documents(root, result);
        goal(root.putObject("goodput_goal"), plan.goal());
        figures(root, result);
        return root;
    }

    private void trace(ObjectNode node) {
        switch (plan.trace()) {
            case TraceSpec.Chat chat -> {
                node.put("kind", "chat");
                node.put("least_tokens", chat.leastTokens());
                node.put("most_tokens", chat.mostTokens());
            }
            case TraceSpec.Documents some -> {
                node.put("kind", "documents");
                node.put("documents", some.documents());
                node.put("least_tokens", some.leastTokens());
                node.put("most_tokens", some.mostTokens());
                node.put("questions", some.questions());
                node.put("question_tokens", some.questionTokens());
                node.put("order", some.order().name().toLowerCase(Locale.ROOT));
                node.put("document_use", plan.use().name());
                node.put("read_first", plan.readsFirst());
            }
        }
        node.put("requests", plan.trace().requests());
        node.put("answer_tokens", plan.trace().answerTokens());
    }

    private static void documents(ObjectNode root, LoadResult result) {
        if (result.heldDocuments() > 0) {
            ObjectNode node = root.putObject("documents");
            node.put("held", result.heldDocuments());
            readings(node.putObject("read_first"), result.readFirst());
            node.put("read_first_seconds", result.readSeconds());
            readings(node.putObject("read_meanwhile"), result.readings());
        }
    }

    private static void readings(ObjectNode node, List<DocumentPool.Reading> readings) {
        node.put("count", readings.size());
        node.put(
                "tokens",
                readings.stream().mapToLong(DocumentPool.Reading::tokens).sum());
        node.put(
                "seconds",
                readings.stream().mapToDouble(DocumentPool.Reading::seconds).sum());
    }

    private static void goal(ObjectNode node, Goal goal) {
        number(node, "ttft_ms", goal.firstTokenMillis());
        number(node, "tpot_ms", goal.perTokenMillis());
    }

    private static void figures(ObjectNode root, LoadResult result) {
        LoadSummary summary = result.summary();
        root.put("duration", summary.seconds());
        root.put("completed", summary.completed());
        root.put("failed", summary.failed());
        root.put("stopped", summary.interrupted());
        ObjectNode errors = root.putObject("errors");
        summary.errors().forEach(errors::put);
        root.put("total_input_tokens", summary.promptTokens());
        root.put("total_cached_tokens", summary.cachedTokens());
        root.put("total_output_tokens", summary.answerTokens());
        root.put("good_requests", summary.goodRequests());
        number(root, "request_throughput", summary.requestThroughput());
        number(root, "request_goodput", summary.goodput());
        number(root, "request_goodput_with_reading", result.goodputWithReading());
        number(root, "output_throughput", summary.outputThroughput());
        number(root, "total_token_throughput", summary.totalThroughput());
        root.put("max_concurrent_requests", summary.peakRequests());
        spread(root, "ttft", summary.firstToken());
        spread(root, "tpot", summary.perToken());
        spread(root, "itl", summary.gap());
        spread(root, "e2el", summary.endToEnd());
        spread(root, "send_delay", summary.sendDelay());
    }

    private static void spread(ObjectNode root, String name, Spread spread) {
        number(root, "mean_" + name + "_ms", spread.mean());
        number(root, "median_" + name + "_ms", spread.p50());
        number(root, "p90_" + name + "_ms", spread.p90());
        number(root, "p99_" + name + "_ms", spread.p99());
        number(root, "max_" + name + "_ms", spread.max());
    }

    private static void number(ObjectNode node, String name, double value) {
        if (Double.isFinite(value)) {
            node.put(name, value);
        } else {
            node.putNull(name);
        }
    }
}
