package io.shadowkv.cuda.ffi;

/// An attribute of a kernel launch (`CUlaunchAttributeID`) that is switched on.
public enum LaunchAttribute {
    /// All blocks are resident at the same time, so that they can wait for each other. The driver
    /// refuses a grid that the device cannot hold at once.
    COOPERATIVE(2),
    /// Programmatic stream serialization: the kernel may start before the preceding one in the
    /// stream has ended.
    EARLY_START(6);

    private final int id;

    LaunchAttribute(int id) {
        this.id = id;
    }

    int id() {
        return id;
    }
}
