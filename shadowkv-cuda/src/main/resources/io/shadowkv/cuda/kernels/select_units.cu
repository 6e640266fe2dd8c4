// Selects the k units with the highest scores of each row and head, separates hits from misses, and
// assigns slots to misses (ShadowOperations.select). ShadowKV, arXiv 2410.21465, section 4.2; slots
// and ages are this project's addition.
//
// scores  float [rows, kvHeads, width], non-negative; the first units[i] of row i are read
// maxima  float [rows, kvHeads, ceil(width / 2^groupShift)] of unit_maxima.cu; not used if
//         groupShift is 0
// table   IndexedEntry [slots]: residentUnits, slotAges [kvHeads, C] in place; selectedSlots,
//         missUnits, missSlots [kvHeads, k], missCounts [kvHeads] written; counters added to
// slots   i32 [rows], -1: padding        units i32 [rows], 0: skipped
//
// Where there are more units than a block holds in registers (16,384), it first selects the k groups
// with the largest maxima, the lower ones among equals, and then the k units among those of these
// groups. Nothing is lost: a unit of another group has at least k units before it, one in each of
// the selected groups.
//
// Grid: rows * kvHeads blocks of THREADS threads, 1024, or 512 so that a multiprocessor runs two
// blocks where there are more blocks than multiprocessors. Shared memory: 9 bytes for each of `capacity` units
// and 6 for each of `slotCapacity` slots, dynamic (rounded up to 4), or with LARGE 5 and 2, and the
// other lists in device memory. The host never launches it for a layer that selects more units or
// has more slots (StepLimits.java); the trap guards against a mistake there.
// Bytes: scores once from L2 (62 KB per block at 15,564 units, and 64 KB more with groups of 8 at
// 124,928). It is bound by about 20 barriers (35 with groups), not by memory: scores stay in
// registers (above 16,384 they are read again), and the data of the second half are loaded with
// them.
// Exact: non-negative floats have the order of their bits. Up to three rounds of a histogram over
// 11, 11 and 9 bits find the k-th largest score and how many of its equals are selected, lowest
// units first. Counting the bits of the selected units gives the ascending list. Deterministic: all
// lists are made by counting.
//
// check: THREADS=1024 LARGE=0
// check: THREADS=1024 LARGE=1
// check: THREADS=512 LARGE=1
// check: THREADS=512 LARGE=0
#include "overlap.cuh"
#include "slices.cuh"

#ifndef LARGE
#define LARGE 0
#endif

#ifndef THREADS
#define THREADS 1024
#endif

static const int WARPS = THREADS / 32;
static const int BINS = 2048;
static const int PART = 16384;  // scores that a block holds
static const int EACH = PART / THREADS;
static const int BINS_EACH = BINS / THREADS;
static const int WORDS = PART / 32;
static const u32 NONE = 0xffffffffu;  // not a score: scores have no sign bit

enum Kind { OUT = 0, IN = 1, TIE = 2, HELD = 3 };

// The result of a histogram: all items above `bin` are taken, and `need` of the `held` items in it.
struct Cut { int bin, need, held; };

// Sum of the warpTotals of lower warps. The caller must put a barrier between writing them and
// this.
static __device__ __forceinline__ int totalBelow(const int* warpTotals) {
    int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
    return (int) __reduce_add_sync(ALL_LANES, (u32) (lane < warp ? warpTotals[lane] : 0));
}

// Sum over this lane and the lower lanes.
static __device__ __forceinline__ int sumUpTo(int x) {
    int lane = threadIdx.x % 32;
#pragma unroll
    for (int d = 1; d < 32; d *= 2) {
        int lower = __shfl_up_sync(ALL_LANES, x, d);
        x += lane >= d ? lower : 0;
    }
    return x;
}

// The bin with the need-th item from the top; not changed if need is 0.
static __device__ void findCut(const int* histogram, int need, Cut* cut) {
    __shared__ int warpTotals[WARPS];
    int top = BINS - 1 - BINS_EACH * (int) threadIdx.x, own[BINS_EACH], all = 0;
#pragma unroll
    for (int b = 0; b < BINS_EACH; b++) all += own[b] = histogram[top - b];
    int sum = sumUpTo(all);
    if (threadIdx.x % 32 == 31) warpTotals[threadIdx.x / 32] = sum;
    __syncthreads();
    int above = totalBelow(warpTotals) + sum - all;
#pragma unroll
    for (int b = 0; b < BINS_EACH; b++) {
        if (above < need && need <= above + own[b]) *cut = Cut{top - b, need - above, own[b]};
        above += own[b];
    }
    __syncthreads();
}

static __device__ void clear(int* histogram) {
    for (int b = threadIdx.x; b < BINS; b += THREADS) histogram[b] = 0;
    __syncthreads();
}

static __device__ __forceinline__ int groupsOf(int units, int groupShift) { return (units + (1 << groupShift) - 1) >> groupShift; }

static __device__ __forceinline__ u32 bitsOf(float score) { return __float_as_uint(score) & 0x7fffffffu; }

// The scores of all units, or the maxima of all groups.
struct All {
    const float* scores;

    __device__ __forceinline__ u32 bits(int i) const { return bitsOf(scores[i]); }
    __device__ __forceinline__ int number(int i) const { return i; }
};

// The scores of the units of some groups, which ascend. Behind the last unit there is none.
struct Grouped {
    const float* scores;
    const int* groups;
    int groupShift, units;

    __device__ __forceinline__ int number(int i) const {
        return (groups[i >> groupShift] << groupShift) + (i & ((1 << groupShift) - 1));
    }
    __device__ __forceinline__ u32 bits(int i) const {
        int unit = number(i);
        return unit < units ? bitsOf(scores[unit]) : NONE;
    }
};

// PART scores as bits; a warp has 32 adjacent scores at a time.
struct Held {
    u32 at[EACH];

    template <typename Source> __device__ __forceinline__ void load(const Source& source, int part, int count) {
#pragma unroll
        for (int j = 0; j < EACH; j++) {
            int u = part * PART + j * THREADS + threadIdx.x;
            at[j] = u < count ? source.bits(u) : NONE;
        }
    }
};

// The scores to select: those from `above` on, and the first `ties` of those equal to `tied`.
struct Threshold { u32 above, tied; int ties; };

template <typename Source>
static __device__ Threshold findThreshold(Held& held, const Source& source, int count, int need, int* histogram, Cut* cut) {
    u32 prefix = 0;
    for (int round = 0;; round++) {
        int shift = round == 0 ? 20 : round == 1 ? 9 : 0, bits = round < 2 ? 11 : 9;
        clear(histogram);
        for (int part = 0; part * PART < count; part++) {
            if (count > PART) held.load(source, part, count);
#pragma unroll
            for (int j = 0; j < EACH; j++)
                if (held.at[j] >> (shift + bits) == prefix) atomicAdd(&histogram[held.at[j] >> shift & ((1u << bits) - 1)], 1);
        }
        __syncthreads();
        findCut(histogram, need, cut);
        prefix = prefix << bits | (u32) cut->bin;
        need = cut->need;
        if (cut->held == need) return {prefix << shift, NONE, 0};
        if (round == 2) return {prefix + 1, prefix, need};
    }
}

// Writes the numbers of the selected ones among `count` scores, ascending.
template <typename Source>
static __device__ void listChosen(Held& held, const Source& source, int count, Threshold threshold, int* chosen) {
    __shared__ u32 above[WORDS], tied[WORDS];  // one bit per unit of the part
    __shared__ int warpTotals[2][WARPS];
    int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
    int chosenBefore = 0, tiesBefore = 0;
    for (int part = 0; part * PART < count; part++) {
        if (count > PART) held.load(source, part, count);
#pragma unroll
        for (int j = 0; j < EACH; j++) {
            u32 score = held.at[j];
            u32 isAbove = __ballot_sync(ALL_LANES, score >= threshold.above && score != NONE);
            u32 isTied = __ballot_sync(ALL_LANES, score == threshold.tied && score != NONE);
            if (lane == 0) above[j * WARPS + warp] = isAbove, tied[j * WARPS + warp] = isTied;
        }
        __syncthreads();
        u32 aboves = threadIdx.x < WORDS ? above[threadIdx.x] : 0, ties = threadIdx.x < WORDS ? tied[threadIdx.x] : 0;
        int sum = sumUpTo(__popc(aboves)), tieSum = sumUpTo(__popc(ties));
        if (lane == 31) warpTotals[0][warp] = sum, warpTotals[1][warp] = tieSum;
        __syncthreads();
        int before = chosenBefore + totalBelow(warpTotals[0]) + sum - __popc(aboves);
        int tieBefore = tiesBefore + totalBelow(warpTotals[1]) + tieSum - __popc(ties);
        int to = before + min(tieBefore, threshold.ties);
        for (u32 both = aboves | ties; both != 0; both &= both - 1) {
            int bit = __ffs(both) - 1;
            bool isTie = ties >> bit & 1;
            if (!isTie || tieBefore < threshold.ties) chosen[to++] = source.number(part * PART + threadIdx.x * 32 + bit);
            tieBefore += isTie;
        }
        chosenBefore += (int) __reduce_add_sync(ALL_LANES, (u32) (lane < WARPS ? warpTotals[0][lane] : 0));
        tiesBefore += (int) __reduce_add_sync(ALL_LANES, (u32) (lane < WARPS ? warpTotals[1][lane] : 0));
        __syncthreads();
    }
}

// Writes the numbers of the `need` largest of `count` scores, ascending. If `isHeld`, the scores of
// the first part are loaded.
template <typename Source>
static __device__ void selectLargest(
    Held& held, bool isHeld, const Source& source, int count, int need, int* histogram, Cut* cut, int* chosen) {
    if (!isHeld) held.load(source, 0, count);
    Threshold threshold = findThreshold(held, source, count, need, histogram, cut);
    listChosen(held, source, count, threshold, chosen);
}

// Iterates over items 0 .. count - 1 twice, each warp over its own part: first to count, then to
// call place(i, kind, isChosen, chosen items before i, held items before i). Items of kind IN are
// chosen, and the first `ties` of kind TIE. The same thread handles an item both times.
template <typename KindOf, typename Place>
static __device__ void compact(int count, int ties, KindOf kindOf, Place place) {
    __shared__ int totals[3][WARPS];
    int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
    int stretch = (count + THREADS - 1) / THREADS * 32;
    int from = min(count, warp * stretch), to = min(count, from + stretch);
    int before[3] = {0, 0, 0};
    for (int base = from; base < to; base += 32) {
        int kind = base + lane < to ? kindOf(base + lane) : OUT;
#pragma unroll
        for (int k = 0; k < 3; k++) before[k] += __popc(__ballot_sync(ALL_LANES, kind == k + 1));
    }
    if (lane == 0)
        for (int k = 0; k < 3; k++) totals[k][warp] = before[k];
    __syncthreads();
#pragma unroll
    for (int k = 0; k < 3; k++) before[k] = totalBelow(totals[k]);
    u32 lower = (1u << lane) - 1;
    for (int base = from; base < to; base += 32) {
        int i = base + lane, kind = i < to ? kindOf(i) : OUT, seen[3];
#pragma unroll
        for (int k = 0; k < 3; k++) {
            u32 same = __ballot_sync(ALL_LANES, kind == k + 1);
            seen[k] = before[k] + __popc(same & lower);
            before[k] += __popc(same);
        }
        bool isChosen = kind == IN || (kind == TIE && seen[1] < ties);
        if (i < to) place(i, kind, isChosen, seen[0] + min(seen[1], ties), seen[2]);
    }
    __syncthreads();
}

// The index of `unit` in an ascending list, or -1.
static __device__ __forceinline__ int find(const int* list, int count, int unit) {
    int low = 0, high = count;
    while (low < high) {
        int middle = (low + high) / 2;
        if (list[middle] < unit) low = middle + 1; else high = middle;
    }
    return low < count && list[low] == unit ? low : -1;
}

extern "C" __global__ void __launch_bounds__(THREADS, 1024 / THREADS) selectUnits(
    const float* scores, const float* maxima, const IndexedEntry* __restrict__ table, const i32* __restrict__ slots,
    const i32* __restrict__ units, int kvHeads, int width, int groupShift, int capacity, int slotCapacity) {
    extern __shared__ int chosen[];  // [capacity], ascending
    __shared__ int histogram[BINS];
    __shared__ Cut cut;
    __shared__ int hits;
    letNextStart();
    int row = blockIdx.x / kvHeads, head = blockIdx.x % kvHeads, x = threadIdx.x;
    int count = slots[row] < 0 ? 0 : units[row];
    const IndexedEntry& entry = table[max(slots[row], 0)];
    int slotCount = entry.slots, selected = min(count, entry.selected);
    i32 *resident = entry.residentUnits + (i64) head * slotCount, *ages = entry.slotAges + (i64) head * slotCount;
    i64 firstChoice = (i64) head * entry.selected;
    i32 *missUnits = entry.missUnits + firstChoice, *missSlots = entry.missSlots + firstChoice;
    i32* selectedSlots = entry.selectedSlots + firstChoice;
#if LARGE
    int *missing = missUnits, *residents = resident;
    u16* olds = (u16*) (chosen + capacity);        // [slotCapacity]: ages
#else
    int* missing = chosen + capacity;              // [capacity], ascending
    int* residents = missing + capacity;           // [slotCapacity]: units as they were
    u16* olds = (u16*) (residents + slotCapacity); // [slotCapacity]: ages
#endif
    u8* isResident = (u8*) (olds + slotCapacity);  // [capacity]: flags of the chosen units
    waitForPrevious();
    if (count == 0) return;
    if (entry.selected > capacity || slotCount > slotCapacity) __trap();
    All all{scores + ((i64) row * kvHeads + head) * width};
    int groups = groupsOf(count, groupShift);
    bool hasGroups = groupShift > 0 && count > PART && selected < groups;
    All largest{maxima + ((i64) row * kvHeads + head) * groupsOf(width, groupShift)};

    Held held;
    if (hasGroups) held.load(largest, 0, groups);
    else if (selected < count) held.load(all, 0, count);
    for (int s = x; s < slotCount; s += THREADS) {
        if (!LARGE) residents[s] = resident[s];
        olds[s] = (u16) min(ages[s], 255);
    }
    for (int j = x; j < selected; j += THREADS) isResident[j] = 0;
    if (x == 0) hits = 0;
    if (selected == count) {
        for (int u = x; u < count; u += THREADS) chosen[u] = u;
    } else if (hasGroups) {
        selectLargest(held, true, largest, groups, selected, histogram, &cut, missing);
        Grouped grouped{all.scores, missing, groupShift, count};
        selectLargest(held, false, grouped, selected << groupShift, selected, histogram, &cut, chosen);
    } else if (selected > 0) {
        selectLargest(held, true, all, count, selected, histogram, &cut, chosen);
    }
    if (x == 0) cut = {BINS, 0, 0};
    clear(histogram);

    // Hits get age 0. All other ages grow by one, up to 256 for now, which keeps the order of the
    // old ages.
    for (int s = x; s < slotCount; s += THREADS) {
        int unit = residents[s], place = unit < 0 ? -1 : find(chosen, selected, unit);
        if (place >= 0) {
            isResident[place] = 1;
            atomicAdd(&hits, 1);
        } else {
            atomicAdd(&histogram[unit < 0 ? 256 : olds[s]], 1);
        }
        olds[s] = (u16) (place >= 0 ? 0 : olds[s] + 1);
    }
    __syncthreads();
    int misses = selected - hits;
    findCut(histogram, misses, &cut);

    compact(selected, 0, [&](int j) { return isResident[j] ? OUT : IN; },
        [&](int j, int, bool isChosen, int before, int) {
            if (isChosen) missing[before] = missUnits[before] = chosen[j];
        });
    // Misses take free slots first, then slots of the largest age; both lists ascend.
    Cut room = cut;
    compact(slotCount, room.need,
        [&](int s) {
            int age = olds[s], rank = residents[s] < 0 ? 256 : age - 1;
            return age == 0 ? HELD : rank > room.bin ? IN : rank == room.bin ? TIE : OUT;
        },
        [&](int s, int kind, bool isChosen, int before, int heldBefore) {
            if (isChosen) {
                resident[s] = missing[before];
                missSlots[before] = s;
            }
            if (isChosen || kind == HELD) selectedSlots[before + heldBefore] = s;
            ages[s] = isChosen || kind == HELD ? 0 : min((int) olds[s], 255);
        });
    for (int j = selected + x; j < entry.selected; j += THREADS) selectedSlots[j] = -1;
    if (x == 0) {
        entry.missCounts[head] = misses;
        atomicAdd((u64*) entry.counters, (u64) selected);
        atomicAdd((u64*) entry.counters + 1, (u64) misses);
    }
}
