package io.shadowkv.cuda.ffi;

/// Advice for statuses of the driver.
final class DriverAdvice {
    private DriverAdvice() {}

    /// What a user can do about a status.
    static String of(int status) {
        return switch (status) {
            case Driver.OUT_OF_MEMORY ->
                "Shorten the context, lower the batch size, or end other programs on the device";
            case 100 -> "No CUDA device is visible: check nvidia-smi and CUDA_VISIBLE_DEVICES";
            case 209 -> "The kernel was compiled for another GPU. Report this with the name of the GPU";
            case 700, 715, 716, 717, 718, 719 ->
                "A kernel failed, and this process cannot use the device any more. Run it again under"
                        + " compute-sanitizer and report the output";
            case 720 ->
                "The device cannot run all blocks of the kernel at the same time. Report this with the name of the GPU";
            case 803 -> "The driver is too old for the CUDA libraries: update the driver";
            default -> "See the CUDA driver's documentation of this status";
        };
    }
}
