package io.shadowkv.cuda.attention;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import io.shadowkv.cuda.attention.CudnnGraph.Node;
import io.shadowkv.cuda.attention.CudnnGraph.Pointwise;
import io.shadowkv.cuda.device.CudaContext;
import io.shadowkv.cuda.device.CudaQueue;
import io.shadowkv.cuda.ffi.Cudnn;
import io.shadowkv.cuda.launch.CudaParts;
import io.shadowkv.cuda.launch.ScratchBuffer;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/// Causal attention by cuDNN, which fuses a graph of matrix products and a softmax into one kernel. A plan is made
/// once a shape and kept. Thread-safe: each queue has a handle and a workspace of its own.
///
/// The graph is the one that cuDNN's engines recognise: the operations, their order and their types follow NVIDIA's
/// cudnn-frontend, `scaled_dot_product_flash_attention.h`.
final class CudnnAttention implements AutoCloseable {
    private final CudaParts parts;
    private final Cudnn cudnn;
    private final Map<SdpaShape, Made> made = new ConcurrentHashMap<>();
    private final Map<CudaQueue, Lane> lanes = new ConcurrentHashMap<>();

    CudnnAttention(CudaParts parts, Cudnn cudnn) {
        this.parts = parts;
        this.cudnn = cudnn;
    }

    /// What a plan is made for.
    ///
    /// @param keys valid rows of keys and values, or the most there may be if `isOpen`
    /// @param capacity rows from one head to the next
    /// @param isOpen true if the count of keys is given with each run, in device memory: one plan for all chunks
    record SdpaShape(
            DType dtype,
            int queries,
            int keys,
            int capacity,
            int queryHeads,
            int kvHeads,
            int headDim,
            boolean isOpen) {}

    /// A plan with its graph and the names of its tensors, or why there is none.
    private record Made(
            @Nullable CudnnGraph graph, @Nullable CudnnPlan plan, long[] ids, String refusal) {}

    /// What a queue needs to run plans.
    private record Lane(long handle, ScratchBuffer workspace, ScratchBuffer lengths) {}

    String version() {
        return cudnn.versionText();
    }

    /// Why cuDNN does not compute this shape, or an empty string if it does; makes the plan.
    String refusal(SdpaShape shape) {
        return made.computeIfAbsent(shape, this::make).refusal();
    }

    /// Enqueues attention of a shape that was not refused.
    ///
    /// @param keyCount keys that count, the queries' own included; `shape.keys()` unless that is open
    void run(SdpaShape shape, Tensor[] queriesKeysValuesOut, int keyCount, double scale) {
        Made prepared = made.computeIfAbsent(shape, this::make);
        CudnnPlan plan = prepared.plan();
        if (plan == null) {
            throw new IllegalStateException("cuDNN does not compute " + shape + ": " + prepared.refusal());
        }
        CudaContext context = parts.context();
        context.makeCurrent();
        CudaQueue queue = parts.queue();
        Lane lane = lane(queue);
        long workspace = plan.workspaceBytes() == 0
                ? 0
                : context.address(lane.workspace().tensor(DType.U8, Math.toIntExact(plan.workspaceBytes())));
        try (Arena arena = Arena.ofConfined()) {
            long[] addresses = new long[prepared.ids().length];
            for (int i = 0; i < 4; i++) {
                addresses[i] = context.address(queriesKeysValuesOut[i]);
            }
            addresses[4] = arena.allocateFrom(JAVA_FLOAT, (float) scale).address();
            addresses[5] =
                    arena.allocateFrom(JAVA_FLOAT, Float.NEGATIVE_INFINITY).address();
            MemorySegment lengths = arena.allocateFrom(JAVA_INT, shape.queries(), keyCount);
            long at = lengths.address();
            if (shape.isOpen()) {
                at = context.address(lane.lengths().tensor(DType.I32, 2));
                queue.copy(at, lengths.address(), lengths.byteSize());
            }
            if (addresses.length > 6) {
                addresses[6] = at;
                addresses[7] = at + Integer.BYTES;
            }
            plan.execute(lane.handle(), prepared.ids(), addresses, workspace);
        }
    }

    private Lane lane(CudaQueue queue) {
        return lanes.computeIfAbsent(queue, key -> {
            long handle = cudnn.cudnnCreate();
            cudnn.cudnnSetStream(handle, key.stream());
            return new Lane(handle, parts.scratch("cuDNN's workspace"), parts.scratch("lengths of cuDNN's sequences"));
        });
    }

    private Made make(SdpaShape shape) {
        parts.context().makeCurrent();
        var graph = new CudnnGraph(cudnn);
        try {
            long[] ids = build(graph, shape);
            return new Made(graph, graph.plan(lane(parts.queue()).handle()), ids, "");
        } catch (Cudnn.RefusedException e) {
            graph.close();
            return new Made(null, null, new long[0], String.valueOf(e.getMessage()));
        } catch (RuntimeException e) {
            graph.close();
            throw e;
        }
    }

    /// Names of queries, keys, values, output, scale, minus infinity and, unless as many keys as queries are
    /// known, the counts of both.
    private static long[] build(CudnnGraph graph, SdpaShape shape) {
        int type = shape.dtype() == DType.BF16 ? CudnnGraph.BFLOAT16 : CudnnGraph.HALF;
        long t = shape.queries();
        long s = shape.keys();
        long d = shape.headDim();
        long heads = shape.queryHeads();
        long kvHeads = shape.kvHeads();
        long headStep = shape.capacity() * d;
        long[] rows = {1, heads, t, d};
        long[] rowStrides = {t * heads * d, d, heads * d, 1};
        Node q = graph.tensor(type, rows, rowStrides);
        Node k = graph.tensor(type, new long[] {1, kvHeads, d, s}, new long[] {kvHeads * headStep, headStep, 1, d});
        Node v = graph.tensor(type, new long[] {1, kvHeads, s, d}, new long[] {kvHeads * headStep, headStep, d, 1});
        Node out = graph.tensor(type, rows, rowStrides);
        Node scale = graph.scalar(CudnnGraph.FLOAT);
        Node nothing = graph.scalar(CudnnGraph.FLOAT);
        boolean isSquare = t == s && !shape.isOpen();
        @Nullable Node queryCount = isSquare ? null : count(graph, shape);
        @Nullable Node keyCount = isSquare ? null : count(graph, shape);
        boolean isOpen = shape.isOpen();

        Node scores = graph.hidden(CudnnGraph.FLOAT, 1, heads, t, s);
        graph.matmul(q, k, scores, isOpen ? new Node[] {queryCount, keyCount, null} : new Node[0], isOpen);
        scores = graph.pointwise(Pointwise.of(Pointwise.MULTIPLY), CudnnGraph.FLOAT, scores, scale);
        if (isOpen && queryCount != null && keyCount != null) {
            scores = padded(graph, scores, queryCount, keyCount, nothing);
        }
        scores = causal(graph, scores, queryCount, keyCount, nothing);
        Node weights = softmax(graph, scores, type);
        graph.matmul(weights, v, out, isOpen ? new Node[] {queryCount, null, keyCount} : new Node[0], false);
        return isSquare
                ? new long[] {q.id(), k.id(), v.id(), out.id(), scale.id(), nothing.id()}
                : new long[] {q.id(), k.id(), v.id(), out.id(), scale.id(), nothing.id(), id(queryCount), id(keyCount)};
    }

    private static Node count(CudnnGraph graph, SdpaShape shape) {
        long[] one = {1, 1, 1, 1};
        return shape.isOpen() ? graph.tensor(CudnnGraph.INT32, one, one) : graph.scalar(CudnnGraph.INT32);
    }

    private static long id(@Nullable Node node) {
        return node == null ? 0 : node.id();
    }

    /// Scores behind the last query and the last key count for nothing.
    private static Node padded(CudnnGraph graph, Node scores, Node queryCount, Node keyCount, Node nothing) {
        Node row = index(graph, scores, 2, CudnnGraph.INT32);
        Node column = index(graph, scores, 3, CudnnGraph.INT32);
        Pointwise less = Pointwise.of(Pointwise.LESS, CudnnGraph.BOOLEAN);
        Node isRow = graph.pointwise(less, CudnnGraph.BOOLEAN, row, queryCount);
        Node isColumn = graph.pointwise(less, CudnnGraph.BOOLEAN, column, keyCount);
        Pointwise and = Pointwise.of(Pointwise.AND, CudnnGraph.BOOLEAN);
        Node isBoth = graph.pointwise(and, CudnnGraph.BOOLEAN, isRow, isColumn);
        return graph.pointwise(Pointwise.of(Pointwise.SELECT), CudnnGraph.FLOAT, scores, nothing, isBoth);
    }

    /// Keys after a query's own count for nothing: row + keys - queries >= column.
    private static Node causal(
            CudnnGraph graph, Node scores, @Nullable Node queryCount, @Nullable Node keyCount, Node nothing) {
        Node row = index(graph, scores, 2, CudnnGraph.FLOAT);
        Node column = index(graph, scores, 3, CudnnGraph.FLOAT);
        if (queryCount != null && keyCount != null) {
            Pointwise add = Pointwise.of(Pointwise.ADD, CudnnGraph.INT32);
            row = graph.pointwise(add, CudnnGraph.INT32, row, keyCount);
            Pointwise subtract = Pointwise.of(Pointwise.SUBTRACT, CudnnGraph.INT32);
            row = graph.pointwise(subtract, CudnnGraph.INT32, row, queryCount);
        }
        Pointwise compare = Pointwise.of(Pointwise.GREATER_OR_EQUAL, CudnnGraph.BOOLEAN);
        Node isEarlier = graph.pointwise(compare, CudnnGraph.BOOLEAN, row, column);
        return graph.pointwise(Pointwise.of(Pointwise.SELECT), CudnnGraph.FLOAT, scores, nothing, isEarlier);
    }

    private static Node index(CudnnGraph graph, Node scores, int axis, int computeType) {
        return graph.pointwise(new Pointwise(Pointwise.INDEX, computeType, axis), CudnnGraph.INT32, scores);
    }

    private static Node softmax(CudnnGraph graph, Node scores, int type) {
        int single = CudnnGraph.FLOAT;
        Node largest = graph.reduce(false, scores);
        Node lower = graph.pointwise(Pointwise.of(Pointwise.SUBTRACT), single, scores, largest);
        Node weights = graph.pointwise(Pointwise.of(Pointwise.EXP), single, lower);
        Node sum = graph.reduce(true, weights);
        // The statistics of training. Nobody reads them, but without them the engines do not know the graph.
        Node log = graph.pointwise(Pointwise.of(Pointwise.LOG), single, sum);
        graph.pointwise(Pointwise.of(Pointwise.ADD), single, largest, log);
        return graph.pointwise(Pointwise.of(Pointwise.DIVIDE), type, weights, sum);
    }

    @Override
    public void close() {
        parts.context().makeCurrent();
        made.values().forEach(each -> {
            if (each.graph() != null) {
                each.graph().close();
            }
        });
        lanes.values().forEach(lane -> {
            cudnn.cudnnDestroy(lane.handle());
            lane.workspace().close();
            lane.lengths().close();
        });
    }
}
