package io.shadowkv.cuda.attention;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.shadowkv.cuda.ffi.CudaException;
import io.shadowkv.cuda.ffi.Cudnn;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/// A graph of cuDNN operations, node by node, and the plan that computes it. Owns every descriptor it makes until
/// it is closed. Numbers are those of `cudnn_graph.h`.
///
/// All tensors have four dimensions. Used by one thread until [#plan] returns.
final class CudnnGraph implements AutoCloseable {
    static final int FLOAT = 0;
    static final int HALF = 2;
    static final int INT32 = 4;
    static final int BFLOAT16 = 9;
    static final int BOOLEAN = 11;

    private static final int TYPE_HANDLE = 0;
    private static final int TYPE_DATA_TYPE = 1;
    private static final int TYPE_BOOLEAN = 2;
    private static final int TYPE_INT64 = 3;
    private static final int TYPE_FLOAT = 4;
    private static final int TYPE_DOUBLE = 5;
    private static final int TYPE_HEURISTIC = 8;
    private static final int TYPE_POINTWISE = 14;
    private static final int TYPE_DESCRIPTOR = 15;
    private static final int TYPE_REDUCTION = 18;

    private static final int HEURISTIC_A = 3;
    /// More than cuDNN has engines for attention.
    private static final int MOST_CANDIDATES = 16;

    private final Cudnn cudnn;
    private final List<Long> descriptors = new ArrayList<>();
    private final List<Long> operations = new ArrayList<>();
    private long nextId = 1;

    CudnnGraph(Cudnn cudnn) {
        this.cudnn = cudnn;
    }

    /// A point-wise function, what it computes in, and the axis of an index.
    record Pointwise(int mode, int computeType, int axis) {
        static final int ADD = 0;
        static final int MULTIPLY = 1;
        static final int DIVIDE = 6;
        static final int SUBTRACT = 9;
        static final int EXP = 13;
        static final int LOG = 15;
        static final int GREATER_OR_EQUAL = 303;
        static final int LESS = 304;
        static final int AND = 400;
        static final int INDEX = 501;
        /// x where t is true, b elsewhere.
        static final int SELECT = 601;

        static Pointwise of(int mode) {
            return new Pointwise(mode, FLOAT, -1);
        }

        static Pointwise of(int mode, int computeType) {
            return new Pointwise(mode, computeType, -1);
        }
    }

    /// A tensor of the graph.
    ///
    /// @param descriptor cuDNN's object
    /// @param id how [CudnnPlan] names it
    record Node(long descriptor, long id, int type, long[] extents) {}

    /// A tensor that the caller gives or takes, aligned to 16 bytes.
    Node tensor(int type, long[] extents, long[] strides) {
        return tensor(type, extents, strides, 0);
    }

    /// A tensor that lives inside the graph only.
    Node hidden(int type, long... extents) {
        int isVirtual = 907;
        return tensor(type, extents, dense(extents), isVirtual);
    }

    /// One number that the caller gives in host memory.
    Node scalar(int type) {
        int isByValue = 908;
        return tensor(type, new long[] {1, 1, 1, 1}, new long[] {1, 1, 1, 1}, isByValue);
    }

    private Node tensor(int type, long[] extents, long[] strides, int flag) {
        long id = nextId++;
        long descriptor = descriptor(17);
        try (Arena arena = Arena.ofConfined()) {
            set(descriptor, 901, TYPE_DATA_TYPE, 1, arena.allocateFrom(JAVA_INT, type));
            set(descriptor, 902, TYPE_INT64, extents.length, arena.allocateFrom(JAVA_LONG, extents));
            set(descriptor, 903, TYPE_INT64, strides.length, arena.allocateFrom(JAVA_LONG, strides));
            set(descriptor, 906, TYPE_INT64, 1, arena.allocateFrom(JAVA_LONG, id));
            set(descriptor, 900, TYPE_INT64, 1, arena.allocateFrom(JAVA_LONG, 16L));
            if (flag != 0) {
                set(descriptor, flag, TYPE_BOOLEAN, 1, arena.allocateFrom(JAVA_BYTE, (byte) 1));
            }
        }
        cudnn.cudnnBackendFinalize(descriptor, "tensor " + id);
        return new Node(descriptor, id, type, extents);
    }

    private static long[] dense(long[] extents) {
        long[] strides = new long[extents.length];
        long stride = 1;
        for (int i = extents.length - 1; i >= 0; i--) {
            strides[i] = stride;
            stride *= extents[i];
        }
        return strides;
    }

    /// `c = a · b`.
    ///
    /// @param lengths which rows, columns and depths count: M, N, K, each a device int or null
    void matmul(Node a, Node b, Node c, Node[] lengths, boolean isPadded) {
        long kind = descriptor(18);
        long operation = descriptor(19);
        try (Arena arena = Arena.ofConfined()) {
            set(kind, 1500, TYPE_DATA_TYPE, 1, arena.allocateFrom(JAVA_INT, FLOAT));
            if (isPadded) {
                set(kind, 1503, TYPE_DOUBLE, 1, arena.allocateFrom(JAVA_DOUBLE, 0.0));
            }
        }
        cudnn.cudnnBackendFinalize(kind, "matrix product");
        link(operation, 1520, a);
        link(operation, 1521, b);
        link(operation, 1522, c);
        for (int i = 0; i < lengths.length; i++) {
            if (lengths[i] != null) {
                link(operation, 1525 + i, lengths[i]);
            }
        }
        link(operation, 1523, kind);
        finish(operation, "matrix product");
    }

    /// `y = function(x, others)`, in a new hidden tensor of `type` and x's extents.
    ///
    /// @param others b and t, as many as the function takes
    Node pointwise(Pointwise function, int type, Node x, Node... others) {
        Node y = hidden(type, x.extents());
        long kind = descriptor(0);
        long operation = descriptor(13);
        try (Arena arena = Arena.ofConfined()) {
            set(kind, 0, TYPE_POINTWISE, 1, arena.allocateFrom(JAVA_INT, function.mode()));
            set(kind, 1, TYPE_DATA_TYPE, 1, arena.allocateFrom(JAVA_INT, function.computeType()));
            if (function.axis() >= 0) {
                set(kind, 9, TYPE_INT64, 1, arena.allocateFrom(JAVA_LONG, (long) function.axis()));
            }
            cudnn.cudnnBackendFinalize(kind, "point-wise function " + function.mode());
            link(operation, 750, kind);
            link(operation, 751, x);
            link(operation, 753, y);
            MemorySegment one = arena.allocateFrom(JAVA_FLOAT, 1f);
            set(operation, 754, TYPE_FLOAT, 1, one);
            set(operation, 755, TYPE_FLOAT, 1, one);
        }
        if (others.length > 0) {
            link(operation, 752, others[0]);
        }
        if (others.length > 1) {
            link(operation, 758, others[1]);
        }
        finish(operation, "point-wise function " + function.mode());
        return y;
    }

    /// Sum or maximum over the last axis.
    Node reduce(boolean isSum, Node x) {
        long[] extents = x.extents().clone();
        extents[extents.length - 1] = 1;
        Node y = hidden(FLOAT, extents);
        long kind = descriptor(21);
        long operation = descriptor(22);
        try (Arena arena = Arena.ofConfined()) {
            set(kind, 1601, TYPE_DATA_TYPE, 1, arena.allocateFrom(JAVA_INT, FLOAT));
            set(kind, 1600, TYPE_REDUCTION, 1, arena.allocateFrom(JAVA_INT, isSum ? 0 : 3));
        }
        cudnn.cudnnBackendFinalize(kind, "reduction");
        link(operation, 1612, kind);
        link(operation, 1610, x);
        link(operation, 1611, y);
        finish(operation, "reduction");
        return y;
    }

    /// The first engine, in cuDNN's own order of speed, that takes the graph.
    ///
    /// @throws Cudnn.RefusedException if none does
    CudnnPlan plan(long handle) {
        long graph = descriptor(15);
        long heuristic = descriptor(4);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment handleValue = arena.allocateFrom(JAVA_LONG, handle);
            MemorySegment all = arena.allocate(JAVA_LONG, operations.size());
            for (int i = 0; i < operations.size(); i++) {
                all.setAtIndex(JAVA_LONG, i, operations.get(i));
            }
            set(graph, 801, TYPE_DESCRIPTOR, operations.size(), all);
            set(graph, 800, TYPE_HANDLE, 1, handleValue);
            cudnn.cudnnBackendFinalize(graph, "operation graph");

            link(heuristic, 201, graph);
            set(heuristic, 200, TYPE_HEURISTIC, 1, arena.allocateFrom(JAVA_INT, HEURISTIC_A));
            cudnn.cudnnBackendFinalize(heuristic, "heuristic");
            MemorySegment candidates = arena.allocate(ADDRESS, MOST_CANDIDATES);
            for (int i = 0; i < MOST_CANDIDATES; i++) {
                candidates.setAtIndex(JAVA_LONG, i, descriptor(3));
            }
            long count = cudnn.cudnnBackendGetAttribute(heuristic, 202, TYPE_DESCRIPTOR, MOST_CANDIDATES, candidates);
            return first(candidates, Math.toIntExact(count), handleValue);
        }
    }

    private CudnnPlan first(MemorySegment candidates, int count, MemorySegment handle) {
        List<String> refusals = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            long plan = descriptor(5);
            link(plan, 401, candidates.getAtIndex(JAVA_LONG, i));
            set(plan, 400, TYPE_HANDLE, 1, handle);
            try {
                cudnn.cudnnBackendFinalize(plan, "execution plan");
            } catch (Cudnn.RefusedException | CudaException e) {
                // An engine may also fail to compile its kernel; the next one may not.
                refusals.add(e.getMessage());
                continue;
            }
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment bytes = arena.allocate(JAVA_LONG);
                cudnn.cudnnBackendGetAttribute(plan, 402, TYPE_INT64, 1, bytes);
                return new CudnnPlan(cudnn, plan, bytes.get(JAVA_LONG, 0));
            }
        }
        throw new Cudnn.RefusedException(
                "cuDNN %s has no engine for it: %s".formatted(cudnn.versionText(), String.join("; ", refusals)));
    }

    private long descriptor(int type) {
        long descriptor = cudnn.cudnnBackendCreateDescriptor(type);
        descriptors.add(descriptor);
        return descriptor;
    }

    private void set(long descriptor, int name, int type, long count, MemorySegment values) {
        cudnn.cudnnBackendSetAttribute(descriptor, name, type, count, values);
    }

    private void link(long descriptor, int name, Node node) {
        link(descriptor, name, node.descriptor());
    }

    private void link(long descriptor, int name, long other) {
        try (Arena arena = Arena.ofConfined()) {
            set(descriptor, name, TYPE_DESCRIPTOR, 1, arena.allocateFrom(JAVA_LONG, other));
        }
    }

    private void finish(long operation, String what) {
        cudnn.cudnnBackendFinalize(operation, what);
        operations.add(operation);
    }

    /// Frees all descriptors, the plan's too.
    @Override
    public void close() {
        // The newest first: a plan before what it was made of.
        descriptors.reversed().forEach(cudnn::cudnnBackendDestroyDescriptor);
        descriptors.clear();
        operations.clear();
    }
}
