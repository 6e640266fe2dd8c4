package io.shadowkv.cpu;

import io.shadowkv.engine.golden.ShadowEndToEndGoldens;
import io.shadowkv.op.Backend;
import io.shadowkv.op.BackendProvider.BackendOptions;

class CpuShadowEndToEndTest extends ShadowEndToEndGoldens {
    @Override
    protected Backend open() {
        return new CpuBackendProvider().open(BackendOptions.DEFAULT);
    }
}
