package io.shadowkv.cache.shadow;

import io.shadowkv.op.Backend;
import io.shadowkv.op.reference.ReferenceBackend;
import java.util.List;

/// The smallest golden case on plain loops; faster backends take all.
class ReferenceShadowGoldensTest extends ShadowGoldens {
    @Override
    protected Backend open() {
        return new ReferenceBackend();
    }

    @Override
    protected List<String> cases() {
        return List.of("kv2-hd64-b128");
    }
}
