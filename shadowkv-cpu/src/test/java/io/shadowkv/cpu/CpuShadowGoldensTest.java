package io.shadowkv.cpu;

import io.shadowkv.cache.shadow.ShadowGoldens;
import io.shadowkv.op.Backend;
import io.shadowkv.op.BackendProvider.BackendOptions;
import java.util.List;

/// Every context of the original's goldens.
class CpuShadowGoldensTest extends ShadowGoldens {
    @Override
    protected Backend open() {
        return new CpuBackendProvider().open(BackendOptions.DEFAULT);
    }

    @Override
    protected List<String> cases() {
        return List.of("kv2-hd64-b128", "kv4-hd128-b512", "kv8-hd128-b1024");
    }
}
