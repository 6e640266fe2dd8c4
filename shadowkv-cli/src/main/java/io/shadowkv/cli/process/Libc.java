package io.shadowkv.cli.process;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/// Functions of the C library for file descriptors, on systems that have them.
public final class Libc {
    private static final Linker LINKER = Linker.nativeLinker();

    private static final MethodHandle DUP2 = LINKER.downcallHandle(
            LINKER.defaultLookup().findOrThrow("dup2"),
            FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.JAVA_INT));

    private Libc() {}

    /// Makes the descriptor `target` refer to the same file as `source`.
    ///
    /// @return `target`, or -1 if `source` is not open
    public static int dup2(int source, int target) {
        try {
            return (int) DUP2.invokeExact(source, target);
        } catch (Throwable e) {
            throw new AssertionError("dup2(" + source + ", " + target + ")", e);
        }
    }
}
