package io.shadowkv.cache;

/// The size that a sequence is allocated for.
///
/// @param capacityTokens maximum number of tokens, including generated ones
/// @param deviceValueLayers number of leading layers whose offloaded values stay in device memory
///     instead of host memory; ignored by a strategy that does not offload
/// @param reservation the tokens that have memory now
public record SequenceSize(int capacityTokens, int deviceValueLayers, Reservation reservation) {
    /// Maximum number of extents that a sequence grows by; a longer sequence has longer extents.
    public static final int MAX_EXTENTS = 32;

    public SequenceSize {
        if (capacityTokens < 1 || deviceValueLayers < 0) {
            throw new IllegalArgumentException("a sequence of " + capacityTokens + " tokens with the values of "
                    + deviceValueLayers + " layers on the device; expected 1 or more tokens and 0 or more layers");
        }
    }

    /// The size of a sequence whose memory is all reserved at once.
    public SequenceSize(int capacityTokens, int deviceValueLayers) {
        this(capacityTokens, deviceValueLayers, new Reservation(Math.max(1, capacityTokens), 0, 1));
    }

    /// The memory of a sequence that grows: what was reserved first, and the extents added since.
    ///
    /// @param firstTokens tokens whose memory was reserved first
    /// @param extents number of extents added
    /// @param extentTokens tokens of an extent
    public record Reservation(int firstTokens, int extents, int extentTokens) {
        public Reservation {
            if (firstTokens < 1 || extents < 0 || extents > MAX_EXTENTS || extentTokens < 1) {
                throw new IllegalArgumentException("a reservation of " + firstTokens + " tokens and " + extents
                        + " extents of " + extentTokens + " tokens; expected 1 or more tokens, 0 to " + MAX_EXTENTS
                        + " extents, and 1 or more tokens in an extent");
            }
        }
    }

    /// The size of a sequence whose offloaded values all lie in host memory.
    public static SequenceSize of(int capacityTokens) {
        return new SequenceSize(capacityTokens, 0);
    }

    /// The same sequence with memory for its first tokens only; the rest is added as it grows.
    ///
    /// @param extentTokens tokens by which it grows; more if the capacity needs too many extents
    public SequenceSize growing(int firstTokens, int extentTokens) {
        if (firstTokens >= capacityTokens) {
            return new SequenceSize(capacityTokens, deviceValueLayers);
        }
        int tokens = Math.max(extentTokens, Math.ceilDiv(capacityTokens, MAX_EXTENTS));
        return new SequenceSize(capacityTokens, deviceValueLayers, new Reservation(firstTokens, 0, tokens));
    }

    /// The same sequence with this number of extents in all.
    public SequenceSize withExtents(int extents) {
        return new SequenceSize(
                capacityTokens,
                deviceValueLayers,
                new Reservation(reservation.firstTokens, extents, reservation.extentTokens));
    }

    /// True if not all memory was reserved at once.
    public boolean grows() {
        return reservation.firstTokens < capacityTokens;
    }

    /// Tokens that have memory now.
    public int reservedTokens() {
        return (int)
                Math.min(capacityTokens, reservation.firstTokens + (long) reservation.extents * reservation.extentTokens);
    }
}
