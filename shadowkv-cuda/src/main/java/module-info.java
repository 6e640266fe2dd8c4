/// The backend that computes on an NVIDIA GPU, with the driver and NVIDIA's libraries.
module io.shadowkv.cuda {
    requires io.shadowkv.core;
    requires static org.jspecify;

    provides io.shadowkv.op.BackendProvider with
            io.shadowkv.cuda.CudaBackendProvider;
}
