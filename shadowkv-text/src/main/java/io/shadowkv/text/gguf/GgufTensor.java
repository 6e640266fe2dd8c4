package io.shadowkv.text.gguf;

import java.util.Arrays;

/// What the header says of one tensor.
///
/// @param extents outermost first; the file has them innermost first
/// @param type ggml's number of the element type
/// @param offset byte of the first element, from the start of the data
public record GgufTensor(String name, long[] extents, int type, long offset) {
    /// Product of the extents.
    ///
    /// @throws ArithmeticException if it exceeds a `long`
    public long elements() {
        return Arrays.stream(extents).reduce(1, Math::multiplyExact);
    }
}
