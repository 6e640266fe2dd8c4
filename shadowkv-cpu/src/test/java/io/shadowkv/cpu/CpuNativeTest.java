package io.shadowkv.cpu;

/// At the machine's own vector width.
class CpuNativeTest extends CpuConformance {
    CpuNativeTest() {
        super(2, 0);
    }
}
