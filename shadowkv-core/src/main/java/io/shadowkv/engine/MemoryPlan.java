package io.shadowkv.engine;

import java.util.List;

/// Bytes that a batch will need, computed before anything is allocated.
///
/// @param strategy `full` or `shadowkv`
/// @param contextTokens tokens of each sequence, prompt and generated
/// @param batch sequences
/// @param perSequence bytes of one sequence of such a batch
/// @param weightBytes weights, shared by all
/// @param heldWeightBytes those of them that lie in the backend's memory already; 0 where it reads mapped files
/// @param workspace what the engine needs beside sequences: one layer's prompt keys and values and activations
///     while one prompt is read, rotary tables, a decode step's activations
/// @param limits what the plan may use
/// @param largestBatch sequences of this length that fit when values are placed so that the largest number does
public record MemoryPlan(
        String strategy,
        int contextTokens,
        int batch,
        SequenceBytes perSequence,
        long weightBytes,
        long heldWeightBytes,
        List<Item> workspace,
        Limits limits,
        int largestBatch) {
    /// The workspace's part that a prompt takes while it is read, and nothing afterwards.
    public static final String PROMPT_BEING_READ = "prompt being read";

    public MemoryPlan {
        workspace = List.copyOf(workspace);
    }

    /// @param resident bytes in device memory
    /// @param offloaded bytes in host memory that are fetched from
    /// @param parts what they consist of
    public record SequenceBytes(long resident, long offloaded, List<Item> parts) {
        public SequenceBytes {
            parts = List.copyOf(parts);
        }
    }

    /// One part of the memory: `resident keys and values`, `landmarks`, `low-rank keys`, `values`, …
    public record Item(String name, long bytes, boolean isOffloaded) {}

    /// What a plan may use beside the weights.
    ///
    /// @param deviceBytes in device memory
    /// @param hostBytes for offloaded values
    /// @param hostIsDevice true where both places are the same memory (a CPU backend), so that they share one
    ///     limit, `deviceBytes`
    public record Limits(long deviceBytes, long hostBytes, boolean hostIsDevice) {}

    /// Bytes of the workspace's parts together.
    public long workspaceBytes() {
        return workspace.stream().mapToLong(Item::bytes).sum();
    }

    public long availableDeviceBytes() {
        return limits.deviceBytes();
    }

    public long availableHostBytes() {
        return limits.hostBytes();
    }

    public boolean hostIsDevice() {
        return limits.hostIsDevice();
    }

    public long residentBytes() {
        return Math.multiplyExact(perSequence.resident(), (long) batch);
    }

    public long offloadedBytes() {
        return Math.multiplyExact(perSequence.offloaded(), (long) batch);
    }

    /// Everything the backend will hold in device memory when the last prompt of the batch is read, weights
    /// included.
    public long deviceBytes() {
        return heldWeightBytes + workspaceBytes() + residentBytes();
    }

    /// The same while the batch decodes and no prompt is read.
    public long decodingBytes() {
        long prompt = workspace.stream()
                .filter(part -> part.name().equals(PROMPT_BEING_READ))
                .mapToLong(Item::bytes)
                .sum();
        return deviceBytes() - prompt;
    }

    /// True if the batch fits what is available.
    public boolean isAdmitted() {
        return largestBatch >= batch;
    }

    /// The refusal, with the numbers and what to do.
    public String refusal() {
        return "%d sequence%s of %,d tokens with %s need%s %,d bytes resident, %,d offloaded and %,d of workspace; available are %,d bytes%s. %s"
                .formatted(
                        batch,
                        batch == 1 ? "" : "s",
                        contextTokens,
                        strategy,
                        batch == 1 ? "s" : "",
                        residentBytes(),
                        offloadedBytes(),
                        workspaceBytes(),
                        availableDeviceBytes(),
                        hostIsDevice()
                                ? " in all"
                                : " in device memory and %,d in host memory".formatted(availableHostBytes()),
                        largestBatch > 0
                                ? "At most " + largestBatch + " fit at once: use a smaller batch."
                                : "Shorten the context"
                                        + (strategy.equals("full")
                                                ? " or use shadowkv."
                                                : " or lower the rank or budget."));
    }
}
