package io.shadowkv.engine.golden;

import io.shadowkv.op.Backend;
import io.shadowkv.op.reference.ReferenceBackend;

class ReferenceGgufGoldensTest extends GgufGoldens {
    @Override
    protected Backend open() {
        return new ReferenceBackend();
    }
}
