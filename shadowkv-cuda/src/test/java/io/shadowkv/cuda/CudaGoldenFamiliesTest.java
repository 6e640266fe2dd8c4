package io.shadowkv.cuda;

import io.shadowkv.engine.golden.GoldenFamilies;
import io.shadowkv.op.Backend;

/// The golden models of further families on the device.
@GpuTest
class CudaGoldenFamiliesTest extends GoldenFamilies {
    @Override
    protected Backend open() {
        return new SharedCuda();
    }
}
