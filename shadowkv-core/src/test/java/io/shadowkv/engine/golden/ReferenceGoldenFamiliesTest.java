package io.shadowkv.engine.golden;

import io.shadowkv.op.Backend;
import io.shadowkv.op.reference.ReferenceBackend;

/// The golden models of further families on plain loops.
class ReferenceGoldenFamiliesTest extends GoldenFamilies {
    @Override
    protected Backend open() {
        return new ReferenceBackend();
    }
}
