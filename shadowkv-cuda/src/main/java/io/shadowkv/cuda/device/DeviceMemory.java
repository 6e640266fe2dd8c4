package io.shadowkv.cuda.device;

import io.shadowkv.tensor.Memory;

/// A range of device memory, owned by the [CudaScope] that allocated it.
///
/// @param address start address in the device's address space
/// @param scope the owner; recordings that use the memory end when it is closed
public record DeviceMemory(long address, long byteSize, CudaScope scope) implements Memory {}
