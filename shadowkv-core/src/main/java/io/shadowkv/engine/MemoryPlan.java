package io.shadowkv.engine;

import java.util.List;

/// The memory that a batch needs, computed before anything is allocated.
///
/// @param strategy `full` or `shadowkv`
/// @param contextTokens tokens of each sequence, including generated ones
/// @param batch number of sequences
/// @param perSequence bytes of one sequence of such a batch
/// @param weightBytes bytes of the weights, which all sequences share
/// @param heldWeightBytes bytes of the weights that are already in the backend's memory; 0 if it
///     reads mapped files
/// @param workspace memory that the engine needs in addition to sequences: one layer's keys and
///     values and activations while a prompt is read, rotary tables, activations of a decode step
/// @param limits memory that the plan may use
/// @param largestBatch largest number of sequences of this length that fit, with values placed so
///     that this number is largest
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
    /// Name of the workspace item that is in use only while a prompt is read.
    public static final String PROMPT_BEING_READ = "prompt being read";

    public MemoryPlan {
        workspace = List.copyOf(workspace);
    }

    /// @param resident bytes in device memory
    /// @param offloaded bytes in host memory, from which steps fetch
    /// @param parts the items that these bytes consist of
    public record SequenceBytes(long resident, long offloaded, List<Item> parts) {
        public SequenceBytes {
            parts = List.copyOf(parts);
        }

        /// Bytes in both memories.
        public long total() {
            return resident + offloaded;
        }
    }

    /// One item of the memory: `resident keys and values`, `landmarks`, `low-rank keys`, `values`,
    /// …
    public record Item(String name, long bytes, boolean isOffloaded) {}

    /// The memory that a plan may use in addition to the weights.
    ///
    /// @param deviceBytes bytes of device memory
    /// @param hostBytes bytes of host memory, for offloaded values
    /// @param hostIsDevice true if both are the same memory (on a CPU backend); then they share one
    ///     limit, `deviceBytes`
    public record Limits(long deviceBytes, long hostBytes, boolean hostIsDevice) {}

    /// Bytes of all workspace items.
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

    /// Bytes in device memory while the last prompt of the batch is read, including weights.
    public long deviceBytes() {
        return heldWeightBytes + workspaceBytes() + residentBytes();
    }

    /// Bytes in device memory while the batch decodes and no prompt is read, including weights.
    public long decodingBytes() {
        long prompt = workspace.stream()
                .filter(part -> part.name().equals(PROMPT_BEING_READ))
                .mapToLong(Item::bytes)
                .sum();
        return deviceBytes() - prompt;
    }

    /// True if the batch fits the available memory.
    public boolean isAdmitted() {
        return largestBatch >= batch;
    }

    /// The message for a batch that does not fit, with the numbers and what to do.
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
