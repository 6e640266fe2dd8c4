package io.shadowkv.cuda;

import io.shadowkv.cuda.ffi.CudaException;
import io.shadowkv.cuda.ffi.Driver;
import io.shadowkv.cuda.ffi.NativeLibrary.LibraryMissingException;
import io.shadowkv.cuda.ffi.Nvrtc;
import io.shadowkv.op.Backend;
import io.shadowkv.op.BackendProvider;

/// Provides [CudaBackend] if the machine has a driver, a device of compute capability 8.0 or
/// higher, and the CUDA libraries.
public final class CudaBackendProvider implements BackendProvider {
    private static final int PRIORITY = 100;

    @Override
    public String name() {
        return "cuda";
    }

    @Override
    public Availability availability(BackendOptions options) {
        try {
            Driver driver = Driver.open(null);
            driver.cuInit();
            int count = driver.cuDeviceGetCount();
            if (options.device() >= count) {
                return no("device " + options.device() + " was asked for; the driver sees " + count);
            }
            int device = driver.cuDeviceGet(options.device());
            int major = driver.cuDeviceGetAttribute(75, device);
            int minor = driver.cuDeviceGetAttribute(76, device);
            String name = driver.cuDeviceGetName(device);
            if (major < 8) {
                return no(name + " has compute capability " + major + "." + minor + "; this engine needs 8.0 or newer");
            }
            int[] compiler = Nvrtc.open(options.libraryFolder()).nvrtcVersion();
            return new Availability(
                    true,
                    PRIORITY,
                    "%s, compute capability %d.%d, NVRTC %d.%d"
                            .formatted(name, major, minor, compiler[0], compiler[1]));
        } catch (LibraryMissingException | CudaException e) {
            return no(String.valueOf(e.getMessage()));
        }
    }

    private static Availability no(String reason) {
        return new Availability(false, PRIORITY, reason);
    }

    @Override
    public Backend open(BackendOptions options) {
        Availability availability = availability(options);
        if (!availability.usable()) {
            throw new IllegalStateException(availability.reason());
        }
        return new CudaBackend(options);
    }
}
