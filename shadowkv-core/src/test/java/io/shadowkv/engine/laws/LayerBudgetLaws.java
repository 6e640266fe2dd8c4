package io.shadowkv.engine.laws;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.shadowkv.RandomCheckpoint;
import io.shadowkv.cache.KvCacheSpec;
import io.shadowkv.cache.KvCacheSpec.Shadow;
import io.shadowkv.cache.shadow.ShadowInside;
import io.shadowkv.engine.EngineOptions;
import io.shadowkv.engine.serve.Engine;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

/// The laws of selection by landmarks with budgets of layers: larger in the first one, smaller, and larger than
/// what there is.
public abstract class LayerBudgetLaws extends SelectionLaws {
    private static final Shadow LANDMARKS = NARROW.withRank(12);

    protected LayerBudgetLaws(BackendUnderTest tested) {
        super(tested);
    }

    @Override
    List<Shadow> specs() {
        return List.of(
                LANDMARKS.withFirstLayers(40),
                LANDMARKS.withFirstLayers(8, 24).withCachedTokens(24),
                LANDMARKS.withFirstLayers(4096));
    }

    @Override
    List<Shadow> everything() {
        Shadow all = LANDMARKS.withRank(4096).withSparseBudget(72).withResidency(new Shadow.Residency(8, 40, 72));
        return List.of(all, all.withFirstLayers(88), all.withFirstLayers(72, 4096));
    }

    @Test
    void eachLayerSelectsItsOwnBudget() {
        try (StepBench bench = bench(checkpoint(RandomCheckpoint.SMALL), LANDMARKS.withFirstLayers(40))) {
            bench.read(0, Logits.ids(120, 64, 1), 200);
            bench.feed(0, 1);
            // Two heads: 10 units in the first layer, 4 in the second.
            assertThat(bench.cache(0).fetches())
                    .extracting(fetches -> fetches.selected())
                    .containsExactly(20L, 8L);
            assertThat(ShadowInside.indexed(bench.cache(0), 0).slots()).isEqualTo(10);
            assertThat(ShadowInside.indexed(bench.cache(0), 1).slots()).isEqualTo(4);
        }
    }

    /// If every layer has a budget of its own, the least of these decides how long a sequence is kept whole.
    @Test
    void budgetsOfAllLayersDecideWhatIsKeptWhole() {
        try (StepBench bench = bench(checkpoint(RandomCheckpoint.SMALL), LANDMARKS.withFirstLayers(128, 96));
                StepBench full = bench(checkpoint(RandomCheckpoint.SMALL), new KvCacheSpec.Full())) {
            for (int length : new int[] {100, 140}) {
                bench.read(length, Logits.ids(length, 64, 1), 200);
                full.read(length, Logits.ids(length, 64, 1), 200);
                assertThat(bench.cache(length).isIndexed()).isEqualTo(length > 8 + 96 + 20);
            }
            Logits.assertSame("whole", bench.feed(100, 7), full.feed(100, 7), rounding());
        }
    }

    @Test
    void moreBudgetsThanLayersAreRefused() {
        EngineOptions options = EngineOptions.DEFAULT.withCache(LANDMARKS.withFirstLayers(16, 16, 16));
        Path folder = checkpoint(RandomCheckpoint.SMALL);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Engine.open(folder, backend(), options))
                .withMessageContaining("budgets of the first 3 layers are given; the model has 2 layers");
    }
}
