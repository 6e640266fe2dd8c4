package io.shadowkv.cuda;

import io.shadowkv.cache.shadow.ShadowGoldens;
import io.shadowkv.op.Backend;
import java.util.List;

/// The golden contexts computed by the authors' code, on the device.
@GpuTest
class CudaShadowGoldensTest extends ShadowGoldens {
    @Override
    protected Backend open() {
        return new SharedCuda();
    }

    @Override
    protected List<String> cases() {
        return List.of("kv2-hd64-b128", "kv4-hd128-b512", "kv8-hd128-b1024");
    }
}
