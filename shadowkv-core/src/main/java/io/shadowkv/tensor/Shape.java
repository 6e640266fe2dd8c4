package io.shadowkv.tensor;

import java.util.Arrays;

/// Extents of a tensor, outermost first. Immutable; a scalar has rank 0 and one element.
public final class Shape {
    private final int[] extents;
    private final long elements;

    private Shape(int[] extents, long elements) {
        this.extents = extents;
        this.elements = elements;
    }

    /// @throws IllegalArgumentException if an extent is negative or the element count exceeds a `long`
    public static Shape of(int... extents) {
        long count = 1;
        for (int extent : extents) {
            if (extent < 0) {
                throw new IllegalArgumentException(
                        "extent " + extent + " in " + Arrays.toString(extents) + " is negative");
            }
            count = Math.multiplyExact(count, extent);
        }
        return new Shape(extents.clone(), count);
    }

    public int rank() {
        return extents.length;
    }

    /// Extent of `axis`; a negative axis counts from the innermost (-1).
    public int extent(int axis) {
        return extents[axis < 0 ? extents.length + axis : axis];
    }

    /// Product of all extents.
    public long elements() {
        return elements;
    }

    public int[] toArray() {
        return extents.clone();
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Shape shape && Arrays.equals(extents, shape.extents);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(extents);
    }

    @Override
    public String toString() {
        return Arrays.toString(extents);
    }
}
