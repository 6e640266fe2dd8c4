package io.shadowkv.tensor;

/// A stretch of memory that tensors view: host memory ([HostMemory]) or a backend's own kind.
///
/// The two kinds are different types so that the compiler keeps a device address away from code that reads host
/// memory.
public interface Memory {
    long byteSize();
}
