package io.shadowkv.cpu;

/// At vectors of 256 bits, on the calling thread alone.
class Cpu256Test extends CpuConformance {
    Cpu256Test() {
        super(1, 256);
    }
}
