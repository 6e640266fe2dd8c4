package io.shadowkv.cpu;

import io.shadowkv.engine.golden.GoldenModels;
import io.shadowkv.op.Backend;
import io.shadowkv.op.BackendProvider.BackendOptions;
import java.util.List;

/// Every golden model at every length.
class CpuGoldenModelsTest extends GoldenModels {
    @Override
    protected Backend open() {
        return new CpuBackendProvider().open(BackendOptions.DEFAULT);
    }

    @Override
    protected List<String> inputs() {
        return List.of("n17", "n300", "long");
    }
}
