package io.shadowkv.cuda;

import io.shadowkv.engine.golden.ShadowEndToEndGoldens;
import io.shadowkv.op.Backend;

/// Whole answers under ShadowKV, on the device.
@GpuTest
class CudaShadowEndToEndTest extends ShadowEndToEndGoldens {
    @Override
    protected Backend open() {
        return new SharedCuda();
    }
}
