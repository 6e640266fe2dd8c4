package io.shadowkv.cuda.ffi;

/// Advice on the driver's statuses.
final class DriverAdvice {
    private DriverAdvice() {}

    /// What a user can do about the statuses that users meet.
    static String of(int status) {
        return switch (status) {
            case Driver.OUT_OF_MEMORY -> "Shorten the context, shrink the batch, or free the device of other programs";
            case 100 -> "No CUDA device is visible: check nvidia-smi and CUDA_VISIBLE_DEVICES";
            case 209 -> "The kernel was compiled for another GPU. Report this with the name of the GPU";
            case 700, 715, 716, 717, 718, 719 ->
                "A kernel went wrong; the device's state is lost for this process. Run under compute-sanitizer"
                        + " and report it";
            case 720 -> "The device cannot run all blocks of the kernel at the same time. Report this with the name of the GPU";
            case 803 -> "Driver and CUDA libraries do not fit together: update the driver";
            default -> "See the CUDA driver's documentation of this status";
        };
    }
}
