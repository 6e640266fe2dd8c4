package io.shadowkv.engine.laws;

import io.shadowkv.cache.IndexSpec;
import io.shadowkv.cache.KvCacheSpec.Shadow;
import io.shadowkv.cache.ValueFormat;
import java.util.List;

/// The laws of selection by token codes, with one budget and with budgets of layers.
public abstract class TokenCodeLaws extends SelectionLaws {
    private static final Shadow CODES = new Shadow(
            new IndexSpec.TokenCodes(), 12, new Shadow.Budget(16), new Shadow.Residency(8, 8, 16), ValueFormat.AS_KEYS);

    protected TokenCodeLaws(BackendUnderTest tested) {
        super(tested);
    }

    @Override
    List<Shadow> specs() {
        return List.of(CODES, CODES.withFirstLayers(40).withCachedTokens(20));
    }

    @Override
    List<Shadow> everything() {
        Shadow all = CODES.withRank(4096).withSparseBudget(72).withResidency(new Shadow.Residency(8, 40, 72));
        return List.of(all, all.withFirstLayers(90));
    }
}
