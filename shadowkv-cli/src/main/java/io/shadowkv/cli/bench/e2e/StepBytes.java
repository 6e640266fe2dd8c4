package io.shadowkv.cli.bench.e2e;

import io.shadowkv.model.spec.DecoderSpec;
import io.shadowkv.op.OperationKind;
import io.shadowkv.tensor.DType;
import java.util.EnumMap;
import java.util.Map;

/// The minimum number of bytes that one decode step moves. Counts the bytes that every
/// implementation must read or write once per step: weights, keys and values, the index, misses.
/// Activations are not counted (they stay in caches and are less than 1 %), so that [#floorSeconds]
/// is a lower bound.
///
/// With L layers, B sequences, H key-value heads of d elements, e bytes per element of keys and
/// values, v per element of a stored value, k of U indexed units of J tokens selected, and m misses
/// among the selected units (of all layers, heads and sequences); an index has an entry for each
/// unit and head:
///
/// | part | device | link |
/// |---|---|---|
/// | weights | all projections and the head, once; of experts, those expected to be chosen | |
/// | attention | B·L·2·H·d·e·(tokens attended) | |
/// | score | B·L·H·U·(entry read + 4 written) | |
/// | select | B·L·H·U·4 | |
/// | fetch | m·J·d·e written, and m·J·v·d read if values are on the device | m·J·v·d otherwise |
/// | rebuild | m·J·(rank·e read + d·e written) + B·L·H·d·rank·e | |
///
/// @param device bytes in device memory, by part
/// @param link bytes from host memory to the device
record StepBytes(Map<OperationKind, Double> device, double link) {
    StepBytes {
        device = Map.copyOf(device);
    }

    /// The bytes of a step that attends to every token.
    ///
    /// @param tokens attended tokens of each sequence, on average over the steps
    static StepBytes full(Decoding decoding, double tokens) {
        Map<OperationKind, Double> device = new EnumMap<>(OperationKind.class);
        device.put(OperationKind.LINEARS, decoding.weightBytes());
        device.put(OperationKind.ATTENTION, attention(decoding, tokens));
        return new StepBytes(device, 0);
    }

    /// The bytes of a step that selects.
    ///
    /// @param tokens attended tokens of each sequence: outliers, selected and recent ones
    static StepBytes shadow(Decoding decoding, double tokens, Index index) {
        DecoderSpec spec = decoding.spec();
        double e = decoding.kvType().bytes();
        double sequenceLayers = (double) decoding.batch() * spec.layers();
        double scores = sequenceLayers * spec.kvHeads() * index.units() * DType.F32.bytes();
        double missedRows = index.missedUnits() * index.unitTokens();
        double rowBytes = spec.headDim() * e;
        double stored = missedRows * index.storedRowBytes();
        Map<OperationKind, Double> device = new EnumMap<>(OperationKind.class);
        device.put(OperationKind.LINEARS, decoding.weightBytes());
        device.put(OperationKind.ATTENTION, attention(decoding, tokens));
        device.put(OperationKind.SCORE, sequenceLayers * spec.kvHeads() * index.units() * index.entryBytes() + scores);
        device.put(OperationKind.SELECT, scores);
        device.put(OperationKind.FETCH, missedRows * rowBytes + stored * (1 - index.linkShare()));
        device.put(
                OperationKind.REBUILD,
                missedRows * (index.rank() * e + rowBytes) + sequenceLayers * spec.kvWidth() * index.rank() * e);
        return new StepBytes(device, stored * index.linkShare());
    }

    /// All bytes of a step in device memory.
    double deviceTotal() {
        return device.values().stream().mapToDouble(Double::doubleValue).sum();
    }

    /// The least time of a step if memory and link work in parallel, each at its ceiling.
    double floorSeconds(Ceilings ceilings) {
        double near = deviceTotal() / ceilings.deviceBytesPerSecond();
        return link > 0 ? Math.max(near, link / ceilings.linkBytesPerSecond()) : near;
    }

    private static double attention(Decoding decoding, double tokens) {
        DecoderSpec spec = decoding.spec();
        return 2.0
                * decoding.batch()
                * spec.layers()
                * spec.kvWidth()
                * tokens
                * decoding.kvType().bytes();
    }

    /// The decoding batch.
    ///
    /// @param weightBytes bytes of the projections and the head that a step reads, as they are stored
    /// @param batch number of sequences, one new token each
    record Decoding(DecoderSpec spec, double weightBytes, DType kvType, int batch) {}

    /// The index that a step selects from, on average over the steps.
    ///
    /// @param unitTokens tokens per unit
    /// @param rank columns of the key factor
    /// @param units indexed units of a sequence
    /// @param entryBytes bytes of a unit's entry in one head
    /// @param missedUnits misses per step of all layers, heads and sequences together
    /// @param storedRowBytes bytes of one token's stored value in one head, including its scale if
    ///     the scale is fetched with it
    /// @param linkShare share of the misses that are fetched from host memory over a link
    record Index(
            int unitTokens,
            int rank,
            double units,
            double entryBytes,
            double missedUnits,
            double storedRowBytes,
            double linkShare) {}
}
