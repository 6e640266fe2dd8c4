// The entries that the host writes for the sequence of each slot. SlotMirrors.java writes the same
// layout.
#pragma once
#include "types.cuh"

struct AttendedEntry {
    void* keys;    // [kvHeads, capacity, headDim]
    void* values;  // the same
    i32 capacity;
    i32 unused;
};

// VALUES_ON_HOST is added to the others if the stored values are in page-locked host memory.
enum ValueFormat { VALUES_AS_ATTENDED = 0, VALUES_INT8 = 1, VALUES_FP8 = 2, VALUES_ON_HOST = 4 };

static const int MAX_EXTENTS = 32;  // IndexedLayer.StoredValues.MAX_FURTHER

struct IndexedEntry {
    const void* entries;       // landmarks [kvHeads, unitCapacity, headDim], or codes i32 [kvHeads, codeBlocks, words, 16]
    const bf16* entryScales;   // of codes, [kvHeads, codeBlocks * 16]; null for landmarks
    const i32* unitIds;        // [kvHeads, unitCapacity]
    const void* factor;        // [tokenCapacity, rank]
    const void* basis;         // [rank, kvHeads * headDim]
    const void* storedValues;  // of the first tokens, [kvHeads, valueTokens, headDim], device or page-locked host memory
    const bf16* storedScales;  // [kvHeads, valueTokens], null unless quantised
    void* keys;                // [kvHeads, attendedCapacity, headDim]
    void* values;              // the same
    i32* residentUnits;        // [kvHeads, slots], -1: free
    i32* slotAges;             // [kvHeads, slots]
    i32* selectedSlots;        // [kvHeads, selected]
    i32* missUnits;            // [kvHeads, selected]
    i32* missSlots;            // [kvHeads, selected]
    i32* missCounts;           // [kvHeads]
    i64* counters;             // [2]
    i32 unitTokens;
    i32 firstRow;
    i32 unitCapacity;
    i32 valueTokens;
    i32 attendedCapacity;
    i32 slots;
    i32 selected;
    i32 valueFormat;
    i32 codeBlocks;     // 0 for landmarks
    i32 extentTokens;   // tokens of each extent of values after the first tokens, except for the last
    i32 lastTokens;     // tokens of the last extent
    i32 extents;        // number of these extents
    const void* extentValues[MAX_EXTENTS];  // [kvHeads, extentTokens or lastTokens, headDim]
    const bf16* extentScales[MAX_EXTENTS];  // [kvHeads, extentTokens or lastTokens], null unless quantised
};
static_assert(sizeof(AttendedEntry) == 24 && sizeof(IndexedEntry) == 688, "SlotMirrors.java writes these sizes");
