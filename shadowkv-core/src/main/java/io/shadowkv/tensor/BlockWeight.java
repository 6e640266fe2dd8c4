package io.shadowkv.tensor;

import java.lang.foreign.MemorySegment;
import java.util.Objects;

/// Weights whose rows are sequences of blocks; see [BlockFormat].
///
/// @param blocks format of every block
/// @param outputs rows
/// @param inputs columns, a multiple of the elements of a block
/// @param memory the underlying host memory
/// @param byteOffset offset of the first row in `memory`
public record BlockWeight(BlockFormat blocks, int outputs, int inputs, HostMemory memory, long byteOffset)
        implements Weight {
    /// @throws IllegalArgumentException if a row is not a whole number of blocks, or the rows do
    ///     not lie inside `memory`
    public BlockWeight {
        if (outputs < 0 || inputs < 0 || inputs % blocks.elements() != 0) {
            throw new IllegalArgumentException("weights [" + outputs + ", " + inputs + "] in " + blocks
                    + "; expected rows of a multiple of " + blocks.elements() + " elements");
        }
        long bytes = Math.multiplyExact(outputs, blocks.rowBytes(inputs));
        if (byteOffset < 0 || Math.addExact(byteOffset, bytes) > memory.byteSize()) {
            throw new IllegalArgumentException("weights [" + outputs + ", " + inputs + "] " + blocks + " at byte "
                    + byteOffset + " need " + bytes + " bytes; the underlying memory has " + memory.byteSize());
        }
    }

    @Override
    public String format() {
        return blocks.name();
    }

    @Override
    public long byteSize() {
        return outputs * rowBytes();
    }

    /// Bytes of one row.
    public long rowBytes() {
        return blocks.rowBytes(inputs);
    }

    /// The bytes of all rows.
    public MemorySegment segment() {
        return memory.segment().asSlice(byteOffset, byteSize());
    }

    @Override
    public BlockWeight slice(int from, int count) {
        Objects.checkFromIndexSize(from, count, outputs);
        return new BlockWeight(blocks, count, inputs, memory, byteOffset + from * rowBytes());
    }

    @Override
    public void decode(int row, int from, int count, float[] target, int at) {
        Objects.checkIndex(row, outputs);
        Objects.checkFromIndexSize(from, count, inputs);
        int elements = blocks.elements();
        float[] block = new float[elements];
        long rowAt = byteOffset + row * rowBytes();
        for (int column = from; column < from + count; ) {
            int first = column % elements;
            int length = Math.min(elements - first, from + count - column);
            blocks.decode(memory.segment(), rowAt + (long) (column / elements) * blocks.bytes(), block);
            System.arraycopy(block, first, target, at + column - from, length);
            column += length;
        }
    }
}
