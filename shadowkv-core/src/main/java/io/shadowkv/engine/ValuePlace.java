package io.shadowkv.engine;

/// Where offloaded values are stored.
public enum ValuePlace {
    /// In device memory for as many layers as the whole batch leaves room for, and in host memory
    /// for the rest. In host memory for all layers if both are the same memory.
    AUTO,
    /// In device memory.
    DEVICE,
    /// In host memory.
    HOST
}
