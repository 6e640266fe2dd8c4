package io.shadowkv.engine;

/// Where offloaded values lie.
public enum ValuePlace {
    /// Near the arithmetic as far as the whole batch leaves room there, the rest in host memory; all of it in host
    /// memory where both are the same.
    AUTO,
    /// Near the arithmetic.
    DEVICE,
    /// In host memory.
    HOST
}
