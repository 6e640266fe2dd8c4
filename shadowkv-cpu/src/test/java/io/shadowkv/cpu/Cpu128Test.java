package io.shadowkv.cpu;

/// At vectors of 128 bits, as on the smallest machines, and an odd number of threads.
class Cpu128Test extends CpuConformance {
    Cpu128Test() {
        super(3, 128);
    }
}
