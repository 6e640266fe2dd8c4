package io.shadowkv.engine.laws;

import static org.assertj.core.api.Assertions.assertThat;

import io.shadowkv.RandomCheckpoint;
import io.shadowkv.cache.KvCacheSpec;
import io.shadowkv.engine.EngineOptions;
import io.shadowkv.engine.GenerationOptions;
import io.shadowkv.engine.serve.Engine;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;

/// What the laws of an engine with several callers share.
public abstract class EngineLaws extends BackendLaws {
    static final int VOCABULARY = 64;

    static final int[] PROMPT = Logits.ids(20, VOCABULARY, 7);

    static final GenerationOptions TEN =
            GenerationOptions.DEFAULT.withMaxNewTokens(10).withIgnoreEos(true);

    static final GenerationOptions LONG = TEN.withMaxNewTokens(2000);

    protected EngineLaws(BackendUnderTest tested) {
        super(tested);
    }

    static List<KvCacheSpec> strategies() {
        return STRATEGIES;
    }

    final Engine open(EngineOptions options) {
        return Engine.open(checkpoint(RandomCheckpoint.SMALL), backend(), options);
    }

    final void assertNoSequences() {
        assertThat(backend().purposes()).noneMatch(purpose -> purpose.matches(".*(sequence|prompt) of.*"));
    }

    static <T> T resultOf(Future<T> future) {
        try {
            return future.get();
        } catch (InterruptedException | ExecutionException e) {
            throw new AssertionError(e);
        }
    }
}
