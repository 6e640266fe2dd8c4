package io.shadowkv.tensor;

/// A region of memory that tensors view: host memory ([HostMemory]) or a backend's own kind.
///
/// The two kinds are different types, so that the compiler rejects a device address in code that
/// reads host memory.
public interface Memory {
    long byteSize();
}
