// The rows of a sequence's region that one new token attends to, numbered by position: position p
// is row at(p), or no row (-1). Attention does not depend on the order, so any order of pieces is
// allowed.
#pragma once
#include "tables.cuh"

// All rows from 0 to `attended` (exclusive).
struct WholeRows {
    i32 length;
    __device__ __forceinline__ i32 at(i32 position) const { return position; }
};

// Rows before the units' region, the selected units, rows after the region.
struct PieceRows {
    i32 length;
    i32 firstRow;    // lower positions: the same row
    i32 unitsEnd;    // lower positions: in a selected unit
    i32 behind;      // added to higher positions
    i32 unitTokens;
    const i32* slots;  // slots of this head

    __device__ __forceinline__ i32 at(i32 position) const {
        if (position < firstRow) return position;
        if (position >= unitsEnd) return position + behind;
        u32 offset = (u32) (position - firstRow), unit = offset / (u32) unitTokens;
        i32 slot = slots[unit];
        return slot < 0 ? -1 : firstRow + slot * unitTokens + (i32) (offset - unit * (u32) unitTokens);
    }
};

static __device__ __forceinline__ WholeRows rowsOf(const AttendedEntry& entry, i32 attended, i32 head) {
    return WholeRows{attended};
}

static __device__ __forceinline__ PieceRows rowsOf(const IndexedEntry& entry, i32 attended, i32 head) {
    i32 firstRow = entry.firstRow, unitTokens = entry.unitTokens, selected = entry.selected;
    i32 unitsEnd = firstRow + selected * unitTokens;
    i32 regionEnd = firstRow + entry.slots * unitTokens;
    i32 tail = attended > regionEnd ? attended - regionEnd : 0;
    return PieceRows{
        unitsEnd + tail, firstRow, unitsEnd, regionEnd - unitsEnd, unitTokens, entry.selectedSlots + (i64) head * selected};
}

static __device__ __forceinline__ i32 capacityOf(const AttendedEntry& entry) { return entry.capacity; }
static __device__ __forceinline__ i32 capacityOf(const IndexedEntry& entry) { return entry.attendedCapacity; }
