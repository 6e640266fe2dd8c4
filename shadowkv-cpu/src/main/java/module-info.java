/// The backend that computes on this machine's processor, with the Vector API.
module io.shadowkv.cpu {
    requires io.shadowkv.core;
    requires jdk.incubator.vector;
    requires static org.jspecify;

    provides io.shadowkv.op.BackendProvider with
            io.shadowkv.cpu.CpuBackendProvider;
}
