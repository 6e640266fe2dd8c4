package io.shadowkv.engine;

import java.util.List;

/// Bytes that a batch will need, computed before anything is allocated.
///
/// @param strategy `full` or `shadowkv`
/// @param contextTokens tokens of each sequence, prompt and generated
/// @param batch sequences
/// @param perSequence bytes of one sequence
/// @param weightBytes mapped weights, shared by all
/// @param workspaceBytes activations and one layer's prompt keys and values while one prompt is read
/// @param availableDeviceBytes what the plan may use near the arithmetic
/// @param availableHostBytes what the plan may use for offloaded values
/// @param hostIsDevice true where both places are the same memory (a CPU backend), so that they share one limit
public record MemoryPlan(
        String strategy,
        int contextTokens,
        int batch,
        SequenceBytes perSequence,
        long weightBytes,
        long workspaceBytes,
        long availableDeviceBytes,
        long availableHostBytes,
        boolean hostIsDevice) {
    /// @param resident bytes near the arithmetic
    /// @param offloaded bytes in host memory that are fetched from
    /// @param parts what they consist of
    public record SequenceBytes(long resident, long offloaded, List<Part> parts) {
        public SequenceBytes {
            parts = List.copyOf(parts);
        }
    }

    /// One part of a sequence's memory: `resident keys and values`, `landmarks`, `key factors`, `offloaded
    /// values` …
    public record Part(String name, long bytes, boolean isOffloaded) {}

    public long residentBytes() {
        return Math.multiplyExact(perSequence.resident(), (long) batch);
    }

    public long offloadedBytes() {
        return Math.multiplyExact(perSequence.offloaded(), (long) batch);
    }

    /// True if the batch fits what is available.
    public boolean isAdmitted() {
        return largestBatch() >= batch;
    }

    /// Sequences of this length that fit.
    public int largestBatch() {
        long deviceRoom = Math.max(0, availableDeviceBytes - workspaceBytes);
        long device = perSequence.resident() + (hostIsDevice ? perSequence.offloaded() : 0);
        long byDevice = device == 0 ? Integer.MAX_VALUE : deviceRoom / device;
        long byHost = hostIsDevice || perSequence.offloaded() == 0
                ? Integer.MAX_VALUE
                : availableHostBytes / perSequence.offloaded();
        return (int) Math.min(Integer.MAX_VALUE, Math.min(byDevice, byHost));
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
                        workspaceBytes,
                        availableDeviceBytes,
                        hostIsDevice
                                ? " in all"
                                : " near the arithmetic and %,d in host memory".formatted(availableHostBytes),
                        largestBatch() > 0
                                ? "At most " + largestBatch() + " fit at once: use a smaller batch."
                                : "Shorten the context"
                                        + (strategy.equals("full")
                                                ? " or use shadowkv."
                                                : " or lower the rank or budget."));
    }
}
