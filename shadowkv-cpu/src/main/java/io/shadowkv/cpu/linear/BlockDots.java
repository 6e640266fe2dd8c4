package io.shadowkv.cpu.linear;

import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;

import io.shadowkv.cpu.vector.LaneSum;
import io.shadowkv.cpu.vector.VectorWidth;
import io.shadowkv.tensor.BlockFormat;
import io.shadowkv.tensor.BlockWeight;
import java.lang.foreign.MemorySegment;

/// Dot products of one vector with the rows of a weight in blocks.
///
/// The loops of subclasses obey three rules, so that every compilation by C2 keeps their vectors in
/// registers. A loop that breaks one is fast in most JVMs and 3 to 30 times slower in others.
///
/// 1. A vector that a loop carries from one iteration to the next is an argument of an operation in
///    the loop, never its receiver (`fresh.fma(x, sum)`, not `sum.add(fresh)`). The type of a
///    carried vector is the abstract class, so a call on it is virtual. C2 compiles such a call as
///    a guess of the class that deoptimises when it is wrong, but only while the methods inlined so
///    far have deoptimised less than `PerMethodTrapLimit` (100) times for this reason. The methods
///    of the Vector API and of `MemorySegment` are shared by the whole JVM, so that their count
///    depends on what ran before. Beyond the limit, C2 also compiles the virtual call, whose result
///    is an object.
/// 2. The memory of a row is a slice that the method with the loop makes first ([#row]). C2 then
///    knows the class of the slice in the loop, and needs neither guesses nor virtual calls.
/// 3. A vector is passed to and returned by methods of the Vector API only. These have the JDK's
///    `@ForceInline`. C2 inlines all other methods only up to 18,000 nodes of a compilation, and
///    it also counts the other loops that it inlines into the same caller.
abstract sealed class BlockDots permits StreamedBlocks, WideBlocks {
    final BlockFormat format;
    final int blocks;
    private final MemorySegment segment;
    private final long rowBytes;

    BlockDots(BlockWeight weight) {
        format = weight.blocks();
        segment = weight.segment();
        blocks = weight.inputs() / format.elements();
        rowBytes = weight.rowBytes();
    }

    static BlockDots of(BlockWeight weight) {
        return WideBlocks.supports(weight.blocks()) ? new WideBlocks(weight) : new StreamedBlocks(weight);
    }

    /// `sums[o - first] += x · row o` for rows `first` to `last` (exclusive).
    final void addDots(float[] x, int first, int last, float[] sums) {
        float[] lanes = new float[LaneSum.GROUP * VectorWidth.LANES];
        for (int from = first; from < last; from += LaneSum.GROUP) {
            int count = Math.min(LaneSum.GROUP, last - from);
            for (int i = 0; i < count; i++) {
                dot(x, from + i, lanes, i * VectorWidth.LANES);
            }
            LaneSum.fours(lanes, 1);
            for (int i = 0; i < count; i++) {
                sums[from - first + i] += lanes[LaneSum.place(0, i)];
            }
        }
    }

    /// Stores a vector at `lanes[to]` whose lanes add up to the product of x and row `index`.
    abstract void dot(float[] x, int index, float[] lanes, int to);

    /// The memory of row `index`.
    final MemorySegment row(int index) {
        return segment.asSlice(index * rowBytes, rowBytes);
    }

    /// The scales of the K block at byte `block`, as [BlockFormat#groupScales] returns them.
    static long groupScales(MemorySegment row, long block) {
        return BlockFormat.groupScales(row.get(JAVA_INT_UNALIGNED, block + 4), row.get(JAVA_INT_UNALIGNED, block + 12));
    }

    /// The offsets of the K block at byte `block`, as [BlockFormat#groupOffsets] returns them.
    static long groupOffsets(MemorySegment row, long block) {
        return BlockFormat.groupOffsets(
                row.get(JAVA_INT_UNALIGNED, block + 8), row.get(JAVA_INT_UNALIGNED, block + 12));
    }
}
