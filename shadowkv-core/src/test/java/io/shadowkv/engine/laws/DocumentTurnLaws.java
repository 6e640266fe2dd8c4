package io.shadowkv.engine.laws;

import static io.shadowkv.engine.laws.Logits.ids;

import io.shadowkv.RandomCheckpoint;
import io.shadowkv.cache.KvCacheSpec;
import io.shadowkv.cache.KvCacheSpec.Shadow;
import io.shadowkv.engine.EngineOptions;
import java.util.List;
import java.util.stream.IntStream;

/// What laws of turns about one document share.
abstract class DocumentTurnLaws extends BackendLaws {
    static final int VOCABULARY = 64;

    static final int[] DOCUMENT = ids(200, VOCABULARY, 1);

    static final int ANSWER = 4;

    static final String READINGS = "activations of a prompt.*";

    DocumentTurnLaws(BackendUnderTest tested) {
        super(tested);
    }

    static List<KvCacheSpec> strategies() {
        return List.of(new KvCacheSpec.Full(), NARROW, Shadow.DEFAULT);
    }

    final SchedulerBench open(EngineOptions options) {
        return new SchedulerBench(checkpoint(RandomCheckpoint.SMALL), backend(), options);
    }

    static EngineOptions narrow() {
        return EngineOptions.DEFAULT.withCache(NARROW).withPrefillRows(64);
    }

    /// A question about the document, of so many tokens.
    static int[] question(int tokens, int seed) {
        return IntStream.concat(IntStream.of(DOCUMENT), IntStream.of(ids(tokens, VOCABULARY, 100 + seed)))
                .toArray();
    }

    /// Number of scopes of memory with that purpose, a regular expression.
    final long scopes(String purpose) {
        return backend().purposes().stream()
                .filter(held -> held.matches(purpose))
                .count();
    }
}
