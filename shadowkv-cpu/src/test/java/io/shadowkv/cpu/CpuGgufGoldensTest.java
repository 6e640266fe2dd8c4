package io.shadowkv.cpu;

import io.shadowkv.engine.golden.GgufGoldens;
import io.shadowkv.op.Backend;
import io.shadowkv.op.BackendProvider.BackendOptions;

class CpuGgufGoldensTest extends GgufGoldens {
    @Override
    protected Backend open() {
        return new CpuBackendProvider().open(BackendOptions.DEFAULT);
    }
}
