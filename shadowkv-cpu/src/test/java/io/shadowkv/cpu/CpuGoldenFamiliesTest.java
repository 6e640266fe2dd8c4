package io.shadowkv.cpu;

import io.shadowkv.engine.golden.GoldenFamilies;
import io.shadowkv.op.Backend;
import io.shadowkv.op.BackendProvider.BackendOptions;

/// The golden models of further families on the CPU's kernels.
class CpuGoldenFamiliesTest extends GoldenFamilies {
    @Override
    protected Backend open() {
        return new CpuBackendProvider().open(BackendOptions.DEFAULT);
    }
}
