package io.shadowkv.server.page;

import io.shadowkv.cache.KvCacheSpec;
import io.shadowkv.engine.FetchWatch;
import io.shadowkv.engine.MemoryInUse;
import io.shadowkv.engine.MemoryPlan.SequenceBytes;
import io.shadowkv.engine.SequenceFetches;
import io.shadowkv.engine.serve.Engine;
import io.shadowkv.server.documents.DocumentStore;
import io.shadowkv.server.endpoint.Serving;
import io.shadowkv.server.json.JsonBody;
import io.shadowkv.server.model.EnginePool;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.node.ObjectNode;

/// Makes the events for one client that watches. Used by one thread.
final class LiveFeed implements AutoCloseable {
    private final Serving serving;
    private final Engine engine;
    private final BooleanSupplier isDraining;
    private final double fullBytesPerToken;
    private final List<FetchWatch> watches;
    private final TokenRate rate = new TokenRate();
    private final SelectionRates selections = new SelectionRates();

    LiveFeed(Serving serving, BooleanSupplier isDraining) {
        this.serving = serving;
        this.engine = serving.model().engine();
        this.isDraining = isDraining;
        int context = engine.contextTokens();
        SequenceBytes full = engine.plan(new KvCacheSpec.Full(), context, 1).perSequence();
        this.fullBytesPerToken = (full.resident() + full.offloaded()) / (double) context;
        this.watches = serving.model().engines().all().stream()
                .map(Engine::watchFetches)
                .toList();
    }

    /// True once the server takes no requests and the last one has ended.
    boolean isOver() {
        EnginePool engines = serving.model().engines();
        return isDraining.getAsBoolean() && engines.running() + engines.waiting() == 0;
    }

    /// The event for this moment.
    ObjectNode next() {
        long now = System.nanoTime();
        ObjectNode event = JsonBody.object();
        event.put("object", "live");
        event.put("state", state());
        event.set("server", server());
        event.put("running", serving.model().engines().running());
        event.put("waiting", serving.model().engines().waiting());
        event.put("tokens_per_second", rate.next(serving.metrics().generatedTokens(), now));
        MemoryInUse used = serving.model().engines().memoryInUse();
        event.set("memory", used == null ? null : memory(used));
        DocumentStore documents = serving.documents();
        ObjectNode counts = event.putObject("documents");
        counts.put("ready", documents.count(true));
        counts.put("reading", documents.count(false));
        List<SequenceFetches> steps =
                distinct(watches.stream().map(FetchWatch::take).toList());
        selections.add(steps, now);
        event.set("selection", selection());
        event.set("fetches", steps.isEmpty() ? null : FetchStrip.of(FetchStrip.newest(steps)));
        return event;
    }

    /// The steps of all engines. Each engine counts its sequences from 0, so their numbers are changed.
    static List<SequenceFetches> distinct(List<List<SequenceFetches>> engines) {
        List<SequenceFetches> all = new ArrayList<>();
        for (int engine = 0; engine < engines.size(); engine++) {
            for (SequenceFetches step : engines.get(engine)) {
                long number = step.sequence() * engines.size() + engine;
                all.add(new SequenceFetches(number, step.tokens(), step.layers()));
            }
        }
        return all;
    }

    private String state() {
        if (serving.model().engines().failure() != null) {
            return "broken";
        }
        return isDraining.getAsBoolean() ? "draining" : "ready";
    }

    private ObjectNode server() {
        ObjectNode server = JsonBody.object();
        server.put("model", serving.model().name());
        server.put("method", engine.options().cache().name());
        server.put("context", engine.contextTokens());
        server.put("chat", engine.hasTokenizer() && engine.hasChatTemplate());
        server.put("text", engine.hasTokenizer());
        server.put("saves", serving.documents().canSave());
        return server;
    }

    private ObjectNode memory(MemoryInUse used) {
        ObjectNode memory = JsonBody.object();
        memory.put("device_bytes", used.deviceBytes());
        memory.put("host_bytes", used.hostBytes());
        memory.put("is_shared", used.limits().hostIsDevice());
        memory.put("limit_device_bytes", used.limits().deviceBytes());
        memory.put("limit_host_bytes", used.limits().hostBytes());
        memory.put("tokens", used.tokens());
        memory.put("full_attention_bytes", Math.round(used.tokens() * fullBytesPerToken));
        return memory;
    }

    private @Nullable ObjectNode selection() {
        SelectionRates.Rates rates = selections.rates();
        if (rates == null) {
            return null;
        }
        ObjectNode selection = JsonBody.object();
        selection.put("hit_rate", rates.hitRate());
        selection.put("host_bytes_per_token", rates.hostBytesPerToken());
        selection.put("device_bytes_per_token", rates.deviceBytesPerToken());
        return selection;
    }

    @Override
    public void close() {
        watches.forEach(FetchWatch::close);
    }
}
