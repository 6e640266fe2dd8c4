package io.shadowkv.cuda.device;

import io.shadowkv.tensor.Memory;

/// A stretch of device memory. Whoever allocated it ([CudaScope]) owns it.
///
/// @param address where it starts, in the device's address space
/// @param scope the owner, so that recordings know what they depend on
public record DeviceMemory(long address, long byteSize, CudaScope scope) implements Memory {}
