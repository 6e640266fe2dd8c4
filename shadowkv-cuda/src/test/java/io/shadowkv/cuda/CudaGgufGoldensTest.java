package io.shadowkv.cuda;

import io.shadowkv.engine.golden.GgufGoldens;
import io.shadowkv.op.Backend;

/// The golden GGUF file on the device.
@GpuTest
class CudaGgufGoldensTest extends GgufGoldens {
    @Override
    protected Backend open() {
        return new SharedCuda();
    }
}
