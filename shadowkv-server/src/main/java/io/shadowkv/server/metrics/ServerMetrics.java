package io.shadowkv.server.metrics;

import io.prometheus.metrics.config.EscapingScheme;
import io.prometheus.metrics.core.metrics.Counter;
import io.prometheus.metrics.core.metrics.CounterWithCallback;
import io.prometheus.metrics.core.metrics.GaugeWithCallback;
import io.prometheus.metrics.core.metrics.Histogram;
import io.prometheus.metrics.expositionformats.PrometheusTextFormatWriter;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import io.shadowkv.cache.prefill.LayerDensity;
import io.shadowkv.engine.Completion;
import io.shadowkv.engine.MemoryInUse;
import io.shadowkv.engine.Preemptions;
import io.shadowkv.server.generate.GenerationObserver;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.function.IntSupplier;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// Counters, gauges and histograms of one server. Thread-safe.
///
/// The names with the prefix `vllm:` mean what they mean there, so that dashboards work unchanged.
public final class ServerMetrics implements GenerationObserver {
    private static final String MODEL = "model_name";
    private static final double NANOS = 1e9;
    private static final double[] SECONDS = {
        0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 40, 80, 160, 640, 2560
    };
    private static final double[] TOKENS = {
        1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000, 100_000, 200_000
    };
    private static final double[] RATIOS = {0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1};

    private final PrometheusRegistry registry = new PrometheusRegistry();
    private final String model;
    private final Counter promptTokens;
    private final Counter generatedTokens;
    private final Counter prefixQueries;
    private final Counter prefixHits;
    private final Counter successes;
    private final Counter failures;
    private final Counter selectedUnits;
    private final Counter missedUnits;
    private final Counter attentionPairs;
    private final Counter attentionComputed;
    private final Histogram firstToken;
    private final Histogram gap;
    private final Histogram endToEnd;
    private final Histogram queue;
    private final Histogram prefill;
    private final Histogram decode;
    private final Histogram promptLength;
    private final Histogram answerLength;
    private final Histogram hitRatio;
    private final Histogram documentRead;
    private final Histogram documentRestore;
    private final Counter documentTokens;

    /// Counts documents.
    @FunctionalInterface
    public interface DocumentCount {
        /// @param areReady true for those that were read, false for those that are being read
        int of(boolean areReady);
    }

    /// @param model name of the served model, a label of every metric
    /// @param running number of requests that are read or that decode
    /// @param waiting number of requests that wait
    public ServerMetrics(String model, IntSupplier running, IntSupplier waiting) {
        this.model = model;
        gauge("vllm:num_requests_running", "Requests whose prompts are read or that decode.", running::getAsInt);
        gauge("vllm:num_requests_waiting", "Requests that wait for their turn.", waiting::getAsInt);
        promptTokens = counter("vllm:prompt_tokens", "Prompt tokens of ended requests.");
        generatedTokens = counter("vllm:generation_tokens", "Generated tokens.");
        prefixQueries = counter("vllm:prefix_cache_queries", "Prompt tokens that were looked up in caches.");
        prefixHits = counter("vllm:prefix_cache_hits", "Prompt tokens that were found in caches.");
        successes = counter("vllm:request_success", "Ended requests by finish reason.", "finished_reason");
        failures = counter("shadowkv:request_failures", "Requests that failed while they ran.");
        selectedUnits = counter("shadowkv:selected_units", "Units of the cache that steps selected.");
        missedUnits = counter("shadowkv:missed_units", "Selected units that had to be fetched.");
        attentionPairs = counter(
                "shadowkv:prefill_attention_pairs",
                "Pairs of a row and a key that exact attention computes, of prompts that were read sparsely.");
        attentionComputed = counter(
                "shadowkv:prefill_attention_computed_pairs",
                "Pairs of a row and a key that were computed, of prompts that were read sparsely.");
        firstToken = seconds("vllm:time_to_first_token_seconds", "Time from the submission to the first token.");
        gap = seconds("vllm:inter_token_latency_seconds", "Time between two tokens of a sequence.");
        endToEnd = seconds("vllm:e2e_request_latency_seconds", "Time from the submission to the end.");
        queue = seconds("vllm:request_queue_time_seconds", "Time that a request waited.");
        prefill = seconds("vllm:request_prefill_time_seconds", "Time to read the prompt.");
        decode = seconds("vllm:request_decode_time_seconds", "Time of all decode steps.");
        promptLength = histogram("vllm:request_prompt_tokens", "Prompt tokens of a request.", TOKENS);
        answerLength = histogram("vllm:request_generation_tokens", "Generated tokens of a request.", TOKENS);
        documentTokens = counter("shadowkv:document_read_tokens", "Tokens of documents that were read.");
        documentRead = seconds("shadowkv:document_read_seconds", "Time to read a document, including its wait.");
        documentRestore = seconds("shadowkv:document_restore_seconds", "Time to load a saved document.");
        hitRatio = histogram(
                "shadowkv:selection_hit_ratio", "Share of selected units that were resident, per request.", RATIOS);
    }

    /// Adds metrics of documents.
    ///
    /// @param count number of those that were read (true), or that are being read (false)
    /// @param tokens tokens of those that were read
    /// @param bytes memory of those that were read
    public void documents(DocumentCount count, LongSupplier tokens, LongSupplier bytes) {
        GaugeWithCallback.builder()
                .name("shadowkv:documents")
                .help("Documents that are kept (ready) or being read (reading).")
                .labelNames(MODEL, "state")
                .callback(callback -> {
                    callback.call(count.of(true), model, "ready");
                    callback.call(count.of(false), model, "reading");
                })
                .register(registry);
        gauge("shadowkv:document_tokens", "Tokens of the documents that are kept.", tokens);
        gauge("shadowkv:document_bytes", "Memory of the documents that are kept.", bytes);
    }

    /// Adds metrics of the memory of sequences.
    ///
    /// @param inUse gives the memory; null if the engine is broken
    public void memory(Supplier<@Nullable MemoryInUse> inUse) {
        GaugeWithCallback.builder()
                .name("shadowkv:kv_bytes")
                .help("Keys and values of all sequences, documents and kept prompts, by place.")
                .labelNames(MODEL, "place")
                .callback(callback -> {
                    MemoryInUse memory = inUse.get();
                    if (memory != null) {
                        callback.call(memory.deviceBytes(), model, "device");
                        callback.call(memory.hostBytes(), model, "host");
                    }
                })
                .register(registry);
        GaugeWithCallback.builder()
                .name("vllm:kv_cache_usage_perc")
                .help("Share of the memory for sequences that is in use; 1 is all of it.")
                .labelNames(MODEL)
                .callback(callback -> {
                    MemoryInUse memory = inUse.get();
                    if (memory != null) {
                        callback.call(memory.share(), model);
                    }
                })
                .register(registry);
    }

    /// Adds counters of sequences that lost their memory to others.
    ///
    /// @param count gives the counters
    public void preemptions(Supplier<Preemptions> count) {
        CounterWithCallback.builder()
                .name("shadowkv:preemptions")
                .help("Sequences that lost their memory to others: moved to host memory (parked), or"
                        + " read and decoded again (replayed).")
                .labelNames(MODEL, "kind")
                .callback(callback -> {
                    Preemptions now = count.get();
                    callback.call(now.parked(), model, "parked");
                    callback.call(now.replayed(), model, "replayed");
                })
                .register(registry);
    }

    /// Adds the number of engines.
    ///
    /// @param working number of those that are not broken
    /// @param all number of all
    public void engines(IntSupplier working, int all) {
        GaugeWithCallback.builder()
                .name("shadowkv:engines")
                .help("Engines of the model, by state.")
                .labelNames(MODEL, "state")
                .callback(callback -> {
                    int count = working.getAsInt();
                    callback.call(count, model, "working");
                    callback.call(all - count, model, "broken");
                })
                .register(registry);
    }

    /// A document was read.
    public void documentRead(int tokens, long nanos) {
        documentTokens.labelValues(model).inc(tokens);
        observe(documentRead, nanos / NANOS);
    }

    /// A saved document was loaded.
    public void documentRestored(long nanos) {
        observe(documentRestore, nanos / NANOS);
    }

    private Counter counter(String name, String help, String... labels) {
        String[] all = new String[labels.length + 1];
        all[0] = MODEL;
        System.arraycopy(labels, 0, all, 1, labels.length);
        Counter counter = Counter.builder()
                .name(name)
                .help(help)
                .labelNames(all)
                .withoutExemplars()
                .register(registry);
        if (labels.length == 0) {
            counter.initLabelValues(model);
        }
        return counter;
    }

    private Histogram seconds(String name, String help) {
        return histogram(name, help, SECONDS);
    }

    private Histogram histogram(String name, String help, double[] bounds) {
        Histogram histogram = Histogram.builder()
                .name(name)
                .help(help)
                .labelNames(MODEL)
                .classicOnly()
                .classicUpperBounds(bounds)
                .register(registry);
        histogram.initLabelValues(model);
        return histogram;
    }

    private void gauge(String name, String help, LongSupplier value) {
        GaugeWithCallback.builder()
                .name(name)
                .help(help)
                .labelNames(MODEL)
                .callback(callback -> callback.call(value.getAsLong(), model))
                .register(registry);
    }

    @Override
    public void token(long gapNanos) {
        generatedTokens.labelValues(model).inc();
        if (gapNanos > 0) {
            observe(gap, gapNanos / NANOS);
        }
    }

    @Override
    public void ended(Completion completion, long totalNanos) {
        Completion.Timings timings = completion.timings();
        promptTokens.labelValues(model).inc(completion.promptTokens());
        prefixQueries.labelValues(model).inc(completion.promptTokens());
        prefixHits.labelValues(model).inc(completion.cachedTokens());
        successes.labelValues(model, reason(completion.finish())).inc();
        if (timings.firstTokenNanos() > 0) {
            observe(firstToken, timings.firstTokenNanos() / NANOS);
        }
        observe(endToEnd, totalNanos / NANOS);
        observe(queue, timings.queuedNanos() / NANOS);
        observe(prefill, timings.prefillNanos() / NANOS);
        observe(decode, timings.decodeNanos() / NANOS);
        observe(promptLength, completion.promptTokens());
        observe(answerLength, completion.ids().length);
        selectedUnits.labelValues(model).inc(completion.cache().selectedUnits());
        missedUnits.labelValues(model).inc(completion.cache().missedUnits());
        LayerDensity density = LayerDensity.sum(completion.densities());
        attentionPairs.labelValues(model).inc(density.causal());
        attentionComputed.labelValues(model).inc(density.computed());
        if (completion.cache().selectedUnits() > 0) {
            observe(hitRatio, completion.cache().hitRate());
        }
    }

    @Override
    public void failed(RuntimeException failure) {
        failures.labelValues(model).inc();
    }

    /// vLLM's words.
    private static String reason(Completion.FinishReason finish) {
        return switch (finish) {
            case END_OF_SEQUENCE, STOP_STRING -> "stop";
            case MAX_NEW_TOKENS -> "length";
            case CANCELLED -> "abort";
            case TIMEOUT -> "timeout";
        };
    }

    private void observe(Histogram histogram, double value) {
        histogram.labelValues(model).observe(value);
    }

    /// Number of tokens that were generated.
    public long generatedTokens() {
        return generatedTokens.labelValues(model).getLongValue();
    }

    /// All metrics in Prometheus' text format.
    public byte[] text() {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try {
            PrometheusTextFormatWriter.create().write(out, registry.scrape(), EscapingScheme.ALLOW_UTF8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return out.toByteArray();
    }

    /// Media type of [#text].
    public String contentType() {
        return PrometheusTextFormatWriter.CONTENT_TYPE;
    }
}
