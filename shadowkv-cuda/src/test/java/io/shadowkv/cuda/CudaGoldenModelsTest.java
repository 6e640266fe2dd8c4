package io.shadowkv.cuda;

import io.shadowkv.engine.golden.GoldenModels;
import io.shadowkv.op.Backend;
import java.util.List;

/// Every golden model at every length, on the device.
@GpuTest
class CudaGoldenModelsTest extends GoldenModels {
    @Override
    protected Backend open() {
        return new SharedCuda();
    }

    @Override
    protected List<String> inputs() {
        return List.of("n17", "n300", "long");
    }
}
