package io.shadowkv.engine.golden;

import io.shadowkv.op.Backend;
import io.shadowkv.op.reference.ReferenceBackend;
import java.util.List;

/// The golden models on plain loops; the long inputs are left to faster backends.
class ReferenceGoldenModelsTest extends GoldenModels {
    @Override
    protected Backend open() {
        return new ReferenceBackend();
    }

    @Override
    protected List<String> inputs() {
        return List.of("n17", "n300");
    }
}
