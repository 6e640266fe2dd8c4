// Chooses the k units of highest score of each row and head, tells hits from misses, and gives misses their slots:
// ShadowOperations.select. ShadowKV, arXiv 2410.21465, section 4.2; the slots and their ages are this project's.
//
// scores  float [rows, kvHeads, width], non-negative; the first units[i] of row i are read
// table   IndexedEntry [slots]: residentUnits, slotAges [kvHeads, C] in place; selectedSlots, missUnits, missSlots
//         [kvHeads, k], missCounts [kvHeads] written; counters added to
// slots   i32 [rows], -1: padding        units i32 [rows], 0: passed over
//
// Grid: rows * kvHeads blocks of 1024 threads. Shared memory: 9 bytes for each of `capacity` units, dynamic (rounded
// up to 4); a layer that selects more than `capacity` traps.
// Bytes: scores once from L2, then four times from L1 (62 KB a block at 15,616 units); 14 x 8 blocks are one wave.
// Not bound by memory: about 20 barriers and five walks of 16 loads a thread.
// Exact: non-negative floats are ordered as their bits; three rounds of a histogram over 11, 11 and 9 bits find the
// k-th largest and how many of its equals are taken, lowest units first. Deterministic: all lists are made by counting.
//
// check: EXTRA=0
#include "slices.cuh"

static const int THREADS = 1024;
static const int WARPS = THREADS / 32;
static const int BINS = 2 * THREADS;

enum Kind { OUT = 0, IN = 1, TIE = 2, HELD = 3 };

// What a histogram says: everything above `bin` is taken, and `need` of what lies in it.
struct Cut { int bin, need; };

// The bin that holds the need-th item from the top; left as it is where need is 0.
static __device__ void findCut(const int* histogram, int need, Cut* cut) {
    __shared__ int warpTotals[WARPS];
    int lane = threadIdx.x % 32, warp = threadIdx.x / 32, top = BINS - 1 - 2 * threadIdx.x;
    int upper = histogram[top], both = upper + histogram[top - 1], sum = both;
#pragma unroll
    for (int d = 1; d < 32; d *= 2) {
        int other = __shfl_up_sync(ALL_LANES, sum, d);
        sum += lane >= d ? other : 0;
    }
    if (lane == 31) warpTotals[warp] = sum;
    __syncthreads();
    int above = sum - both + (int) __reduce_add_sync(ALL_LANES, (u32) (lane < warp ? warpTotals[lane] : 0));
    if (above < need && need <= above + both) {
        bool isUpper = need <= above + upper;
        *cut = {isUpper ? top : top - 1, isUpper ? need - above : need - above - upper};
    }
    __syncthreads();
}

static __device__ void clear(int* histogram) {
    for (int b = threadIdx.x; b < BINS; b += THREADS) histogram[b] = 0;
    __syncthreads();
}

// Walks items 0 .. count - 1 twice, each warp its own stretch: first to count, then to call
// place(i, kind, isChosen, chosen items before i, held items before i). Items of kind IN are chosen, and the first
// `ties` of kind TIE. An item is seen by the same thread both times.
template <typename KindOf, typename Place>
static __device__ void compact(int count, int ties, KindOf kindOf, Place place) {
    __shared__ int totals[3][WARPS];
    int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
    int stretch = (count + THREADS - 1) / THREADS * 32;
    int from = min(count, warp * stretch), to = min(count, from + stretch);
    int before[3] = {0, 0, 0};
#pragma unroll 4
    for (int base = from; base < to; base += 32) {
        int kind = base + lane < to ? kindOf(base + lane) : OUT;
#pragma unroll
        for (int k = 0; k < 3; k++) before[k] += __popc(__ballot_sync(ALL_LANES, kind == k + 1));
    }
    if (lane == 0)
        for (int k = 0; k < 3; k++) totals[k][warp] = before[k];
    __syncthreads();
#pragma unroll
    for (int k = 0; k < 3; k++)
        before[k] = (int) __reduce_add_sync(ALL_LANES, (u32) (lane < warp ? totals[k][lane] : 0));
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

// Where `unit` stands in an ascending list, or -1.
static __device__ __forceinline__ int find(const int* list, int count, int unit) {
    int low = 0, high = count;
    while (low < high) {
        int middle = (low + high) / 2;
        if (list[middle] < unit) low = middle + 1; else high = middle;
    }
    return low < count && list[low] == unit ? low : -1;
}

extern "C" __global__ void __launch_bounds__(THREADS, 1) selectUnits(
    const float* __restrict__ scores, const IndexedEntry* __restrict__ table, const i32* __restrict__ slots,
    const i32* __restrict__ units, int kvHeads, int width, int capacity) {
    extern __shared__ int chosen[];           // [capacity], ascending
    int* missing = chosen + capacity;         // [capacity], ascending
    u8* isResident = (u8*) (missing + capacity);  // [capacity], of the chosen ones
    __shared__ int histogram[BINS];
    __shared__ Cut cut;
    __shared__ int hits;
    int row = blockIdx.x / kvHeads, head = blockIdx.x % kvHeads, x = threadIdx.x;
    int count = slots[row] < 0 ? 0 : units[row];
    if (count == 0) return;
    const IndexedEntry& entry = table[slots[row]];
    if (entry.selected > capacity) __trap();
    const float* own = scores + ((i64) row * kvHeads + head) * width;
    int selected = min(count, entry.selected);

    if (count == selected) {
        for (int u = x; u < count; u += THREADS) chosen[u] = u;
    } else {
        u32 prefix = 0;
        int need = selected;
        for (int round = 0; round < 3; round++) {
            int shift = round == 0 ? 20 : round == 1 ? 9 : 0, bits = round < 2 ? 11 : 9;
            clear(histogram);
#pragma unroll 4
            for (int u = x; u < count; u += THREADS) {
                u32 score = __float_as_uint(own[u]);
                if (round == 0 || score >> (shift + bits) == prefix)
                    atomicAdd(&histogram[score >> shift & ((1u << bits) - 1)], 1);
            }
            __syncthreads();
            findCut(histogram, need, &cut);
            prefix = prefix << bits | (u32) cut.bin;
            need = cut.need;
        }
        compact(count, need,
            [&](int u) {
                u32 score = __float_as_uint(own[u]);
                return score > prefix ? IN : score == prefix ? TIE : OUT;
            },
            [&](int u, int, bool isChosen, int before, int) { if (isChosen) chosen[before] = u; });
    }
    for (int j = x; j < selected; j += THREADS) isResident[j] = 0;
    if (x == 0) hits = 0, cut = {BINS, 0};
    clear(histogram);

    // Hits: age 0. All others grow older by one, to 256 for now, so that the order of the old ages is kept.
    i64 firstSlot = (i64) head * entry.slots;
    i32 *resident = entry.residentUnits + firstSlot, *ages = entry.slotAges + firstSlot;
    for (int s = x; s < entry.slots; s += THREADS) {
        int unit = resident[s], age = min(ages[s], 255);
        int place = unit < 0 ? -1 : find(chosen, selected, unit);
        if (place >= 0) {
            isResident[place] = 1;
            atomicAdd(&hits, 1);
        } else {
            atomicAdd(&histogram[unit < 0 ? 256 : age], 1);
        }
        ages[s] = place >= 0 ? 0 : age + 1;
    }
    __syncthreads();
    int misses = selected - hits;
    findCut(histogram, misses, &cut);

    i64 firstChoice = (i64) head * entry.selected;
    i32 *missUnits = entry.missUnits + firstChoice, *missSlots = entry.missSlots + firstChoice;
    i32* selectedSlots = entry.selectedSlots + firstChoice;
    compact(selected, 0, [&](int j) { return isResident[j] ? OUT : IN; },
        [&](int j, int, bool isChosen, int before, int) {
            if (isChosen) missing[before] = missUnits[before] = chosen[j];
        });
    // Misses take free slots, then those of largest age; both lists ascend.
    Cut room = cut;
    compact(entry.slots, room.need,
        [&](int s) {
            int age = ages[s], rank = resident[s] < 0 ? 256 : age - 1;
            return age == 0 ? HELD : rank > room.bin ? IN : rank == room.bin ? TIE : OUT;
        },
        [&](int s, int kind, bool isChosen, int before, int heldBefore) {
            if (isChosen) {
                resident[s] = missing[before];
                missSlots[before] = s;
            }
            if (isChosen || kind == HELD) selectedSlots[before + heldBefore] = s;
            ages[s] = isChosen || kind == HELD ? 0 : min(ages[s], 255);
        });
    for (int j = selected + x; j < entry.selected; j += THREADS) selectedSlots[j] = -1;
    if (x == 0) {
        entry.missCounts[head] = misses;
        atomicAdd((u64*) entry.counters, (u64) selected);
        atomicAdd((u64*) entry.counters + 1, (u64) misses);
    }
}
