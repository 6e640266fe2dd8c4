package io.shadowkv.checkpoint;

import io.shadowkv.tensor.Tensor;
import io.shadowkv.tensor.Weight;
import java.util.Set;

/// A mapped file of named tensors. Methods that take a name throw a [CheckpointException] if there
/// is no such tensor.
sealed interface TensorFile permits Safetensors, GgufTensors {
    /// Names of all tensors, in the order of their data.
    Set<String> names();

    boolean has(String name);

    /// A view of plain numbers.
    ///
    /// @throws CheckpointException if the tensor's type is not a [io.shadowkv.tensor.DType]
    Tensor tensor(String name);

    /// A view of a matrix of weights in the file's format.
    ///
    /// @throws CheckpointException if it is not a matrix, or the engine does not read its type
    Weight weight(String name);

    /// The type of a tensor, as the file spells it.
    String typeName(String name);

    /// Number of elements of a tensor of any type.
    long elements(String name);

    /// Number of bytes of a tensor.
    long bytes(String name);

    /// File, name, extents and type of a tensor, for messages.
    String describe(String name);

    /// The name of a tensor in the file, for messages: a GGUF file has names of its own.
    String label(String name);

    /// Adds a tensor to a fingerprint.
    void addTo(Fingerprint fingerprint, String name);
}
