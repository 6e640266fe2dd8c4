package io.shadowkv.checkpoint;

import io.shadowkv.tensor.BlockFormat;
import io.shadowkv.tensor.Floats;
import io.shadowkv.tensor.Shape;
import io.shadowkv.tensor.Tensor;
import io.shadowkv.tensor.Weight;
import java.util.Arrays;
import java.util.Optional;
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

    /// Describes the first number of a weight that is NaN or an infinity, with position and value.
    default Optional<String> notFinite(String name) {
        if (BlockFormat.named(typeName(name)).isPresent()) {
            return notFiniteBlock(name);
        }
        Tensor tensor = tensor(name);
        for (long i = 0; i < tensor.elements(); i++) {
            float value = (float) Floats.get(tensor.dtype(), tensor.segment(), i);
            if (!Float.isFinite(value)) {
                return Optional.of(damage(name, value, place(tensor.shape(), i)));
            }
        }
        return Optional.empty();
    }

    private Optional<String> notFiniteBlock(String name) {
        Weight weight = weight(name);
        float[] row = new float[weight.inputs()];
        for (int i = 0; i < weight.outputs(); i++) {
            weight.decodeRow(i, row);
            for (int j = 0; j < row.length; j++) {
                if (!Float.isFinite(row[j])) {
                    return Optional.of(damage(name, row[j], "[" + i + ", " + j + "]"));
                }
            }
        }
        return Optional.empty();
    }

    private String damage(String name, float value, String place) {
        return describe(name) + " and holds " + value + " at " + place + ". The file is damaged; fetch it again";
    }

    private static String place(Shape shape, long element) {
        int[] extents = shape.toArray();
        long rest = element;
        for (int axis = extents.length - 1; axis >= 0; axis--) {
            long index = rest % extents[axis];
            rest /= extents[axis];
            extents[axis] = (int) index;
        }
        return Arrays.toString(extents);
    }

    /// Adds a tensor to a fingerprint.
    void addTo(Fingerprint fingerprint, String name);
}
