package io.shadowkv.engine.batch;

import io.shadowkv.cache.CacheStrategy;
import io.shadowkv.engine.MemoryPlanException;
import io.shadowkv.engine.PlannedSequence;
import io.shadowkv.engine.model.LoadedModel;
import io.shadowkv.op.BackendMemoryException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// The sequences that wait, and how each of them begins: its prompt is read, or it continues a prefix
/// or its own cache. What it still has to read there is decoded if it is short; otherwise it is read
/// as a turn, many rows at a time. Turns of forks of one prefix that wait at the same time are read
/// together; those that arrive during such a reading wait for its end.
///
/// A sequence that does not fit in memory waits until others have ended, and those behind it wait as
/// well. A turn that does not fit although nothing else runs is decoded.
///
/// Used by the engine's thread.
final class Admission {
    /// Minimum number of tokens of a turn that is read in rows. Reading restores the keys and values
    /// of all earlier tokens once, whatever the number of rows; decoding computes a step for each
    /// token.
    private static final int TURN_ROWS = 16;

    private final LoadedModel model;
    private final CacheStrategy strategy;
    private final Planner planner;
    private final Ledger ledger;
    private final Prefixes prefixes;
    private final Readings readings;
    private final Growth growth;
    private final int slots;
    private final int prefillRows;
    private final List<Sequence> waiting = new ArrayList<>();
    private long submitted;

    /// @param slots maximum number of sequences that run together
    Admission(
            LoadedModel model,
            CacheStrategy strategy,
            Planner planner,
            Ledger ledger,
            Prefixes prefixes,
            Readings readings,
            Growth growth,
            int slots,
            int prefillRows) {
        this.model = model;
        this.strategy = strategy;
        this.planner = planner;
        this.ledger = ledger;
        this.prefixes = prefixes;
        this.readings = readings;
        this.growth = growth;
        this.slots = slots;
        this.prefillRows = prefillRows;
    }

    void submit(Sequence sequence) {
        sequence.submitted(submitted++);
        waiting.add(sequence);
    }

    /// A sequence that was submitted before waits again.
    void returns(Sequence sequence) {
        waiting.add(sequence);
    }

    int waiting() {
        return waiting.size();
    }

    /// Removes all sequences that wait; they do not end.
    List<Sequence> removeAll() {
        List<Sequence> all = List.copyOf(waiting);
        waiting.clear();
        return all;
    }

    /// Ends sequences that wait and were cancelled or whose time has passed.
    ///
    /// @return true if there were any
    boolean endWaiting() {
        List<Sequence> ended = waiting.stream().filter(Sequence::mustEnd).toList();
        waiting.removeAll(ended);
        ended.forEach(prefixes::end);
        return !ended.isEmpty();
    }

    /// True if the tokens that are not in the sequence's cache should be read as a turn.
    boolean readsTurn(Sequence sequence) {
        return sequence.cache() != null && sequence.unread() >= TURN_ROWS;
    }

    private boolean canReadTurn(Sequence sequence) {
        return sequence.requireCache().canExtend(sequence.unread()) && !crossesRotaryLimit(sequence);
    }

    /// What a call of [#admit] did.
    ///
    /// @param joining sequences that can decode
    /// @param hasWorked true if a sequence has ended or begun
    record Admitted(List<Sequence> joining, boolean hasWorked) {}

    /// Admits what fits.
    ///
    /// @param running number of sequences that are being read or decode
    Admitted admit(int running) {
        List<Sequence> joining = new ArrayList<>();
        Openings openings = new Openings(2 * prefillRows);
        int before = waiting.size();
        List<Sequence> candidates = new ArrayList<>(waiting);
        while (!candidates.isEmpty() && running + taken(before) < slots) {
            Sequence next = Policy.next(candidates);
            Prefix prefix = prefixOf(next);
            if (waitsForReading(next, prefix)) {
                candidates.remove(next);
                continue;
            }
            boolean others = running + taken(before) > 0;
            if (Growth.isParked(next)) {
                if (growth.resume(next, openings.memory())) {
                    take(next, candidates);
                    joining.add(next);
                    continue;
                }
                if (others) {
                    break;
                }
                if (!dropParked(next)) {
                    take(next, candidates);
                    refuse(next);
                }
                continue;
            }
            if (next.cache() != null || (prefix != null && fork(prefix, next, openings))) {
                if (!readsTurn(next)) {
                    take(next, candidates);
                    joining.add(next);
                    continue;
                }
                if (!openings.joinsTurns(next) && !readings.hasRoom(openings.readings())) {
                    break;
                }
                if (!canReadTurn(next)) {
                    readAgain(next);
                    continue;
                }
                boolean isOpened = openings.addTurn(next, prefixes);
                if (!isOpened && others) {
                    break;
                }
                take(next, candidates);
                if (!isOpened) {
                    // Decoding needs no workspace, and no memory will be free.
                    joining.add(next);
                }
                continue;
            }
            if (prefix != null && others) {
                // Waits for memory instead of reading again what is in memory already.
                break;
            }
            boolean opens = openings.prompts().isEmpty();
            if (opens ? !readings.hasRoom(openings.readings()) : !openings.takesPrompt(next.length())) {
                break;
            }
            if (!prefixes.makeRoom(next.planned(), growth.memory(next, openings))) {
                if (others) {
                    break;
                }
                if (dropParked(next)) {
                    continue;
                }
                take(next, candidates);
                refuse(next);
                continue;
            }
            take(next, candidates);
            openings.addPrompt(next);
        }
        List<Sequence> prompts = openings.prompts();
        int decoding = running - readings.sequences().size();
        if (!prompts.isEmpty()) {
            open(prompts, running + taken(before) > prompts.size());
        }
        openings.turns().forEach(group -> openTurns(group, decoding, joining));
        return new Admitted(joining, waiting.size() < before);
    }

    /// Frees the memory of the parked sequence that is admitted last, except for `other`. It is read
    /// again later.
    ///
    /// @return false if there is none
    boolean dropParked(@Nullable Sequence other) {
        List<Sequence> parked = Policy.byImportance(waiting.stream()
                .filter(sequence -> Growth.isParked(sequence) && Growth.canReplay(sequence) && sequence != other)
                .toList());
        if (parked.isEmpty()) {
            return false;
        }
        growth.replay(parked.getLast());
        return true;
    }

    private void take(Sequence next, List<Sequence> candidates) {
        waiting.remove(next);
        candidates.remove(next);
    }

    /// True if a question waits for a reading of turns about the same document, to be read together with
    /// the others that arrive meanwhile. Sequences behind it do not wait for that.
    private boolean waitsForReading(Sequence sequence, @Nullable Prefix prefix) {
        boolean isFork = sequence.cache() != null;
        Prefix shared = isFork ? sequence.prefix() : prefix == null ? null : prefix.shared();
        if (shared == null) {
            return false;
        }
        int rows = isFork || prefix == null ? sequence.unread() : sequence.readTokens() - prefix.ids().length;
        return rows >= TURN_ROWS && readings.readTurnsOf(shared);
    }

    private int taken(int before) {
        return before - waiting.size();
    }

    /// Frees the cache of a sequence that has not ended, so that the sequence is read again.
    void readAgain(Sequence sequence) {
        growth.freeCache(sequence, true);
    }

    /// Opens the reading of turns. If the backend has less memory than the plan says, half of them wait
    /// until others have ended. A single one waits as well; it is decoded if nothing else runs.
    ///
    /// @param decoding number of sequences that decode already
    /// @param joining receives a sequence that is decoded
    private void openTurns(TurnGroup group, int decoding, List<Sequence> joining) {
        List<Sequence> sequences = group.sequences();
        try {
            readings.openTurns(strategy, group);
        } catch (BackendMemoryException e) {
            boolean others = decoding + joining.size() + readings.sequences().size() > 0;
            int half = sequences.size() / 2;
            if (half > 0) {
                sequences.subList(half, sequences.size()).forEach(this::waitForMemory);
                openTurns(new TurnGroup(sequences.subList(0, half)), decoding, joining);
            } else if (others) {
                waitForMemory(sequences.getFirst());
            } else {
                joining.addAll(sequences);
            }
        } catch (RuntimeException e) {
            model.backend().synchronize();
            sequences.forEach(sequence -> sequence.fail(e));
            sequences.forEach(prefixes::end);
        }
    }

    /// A sequence whose turn could not be opened waits. A fork is freed: what waits would otherwise take
    /// memory from a sequence of higher priority.
    private void waitForMemory(Sequence sequence) {
        if (sequence.prefix() != null) {
            growth.freeCache(sequence, false);
        }
        waiting.add(sequence);
    }

    /// The longest prefix that a sequence can continue; null if there is none.
    private @Nullable Prefix prefixOf(Sequence sequence) {
        if (sequence.cache() != null || sequence.readsItself()) {
            return null;
        }
        int[] ids = Arrays.copyOf(sequence.ids(), sequence.readTokens());
        Prefix prefix = prefixes.longest(ids, sequence.planned());
        return prefix == null || crossesRotaryLimit(prefix.ids().length, sequence.length()) ? null : prefix;
    }

    /// Gives a sequence a fork of a prefix.
    ///
    /// @return false if there is no memory for it
    private boolean fork(Prefix prefix, Sequence sequence, Openings openings) {
        PlannedSequence planned = Prefixes.planned(prefix, sequence.capacity());
        prefixes.use(prefix);
        try {
            int rows = sequence.readTokens() - prefix.ids().length;
            if (!openings.makeRoomForFork(planned, prefix, rows < TURN_ROWS ? 0 : rows, prefixes)) {
                return false;
            }
            // The fork may reach positions that no table covers yet.
            model.rotary().forSequence(prefix.ids().length, sequence.capacity());
            prefixes.fork(prefix, planned, sequence);
            return true;
        } catch (BackendMemoryException e) {
            return false;
        } finally {
            prefixes.leave(prefix);
        }
    }

    /// Nothing runs, so all that the ledger holds is idle.
    private void refuse(Sequence sequence) {
        sequence.fail(new MemoryPlanException(planner.refusal(sequence.capacity(), ledger.sealedBytes())));
        prefixes.end(sequence);
    }

    /// Opens a reading. If the backend has less memory than the plan says, the sequences wait until
    /// others have ended.
    ///
    /// @param others true if other sequences run
    private void open(List<Sequence> admitted, boolean others) {
        try {
            readings.open(strategy, admitted);
        } catch (BackendMemoryException e) {
            if (others) {
                waiting.addAll(admitted);
            } else if (admitted.size() > 1) {
                waiting.addAll(admitted.subList(1, admitted.size()));
                open(admitted.subList(0, 1), false);
            } else {
                admitted.getFirst().fail(e);
                prefixes.end(admitted.getFirst());
            }
        } catch (RuntimeException e) {
            model.backend().synchronize();
            admitted.forEach(sequence -> sequence.fail(e));
            admitted.forEach(prefixes::end);
        }
    }

    /// True if the sequence must be read again. Longrope uses different tables for long sequences. If
    /// a sequence grows beyond the limit, its keys were rotated with the tables for short sequences,
    /// and it is read again, as in transformers.
    boolean crossesRotaryLimit(Sequence sequence) {
        int held = sequence.requireCache().length();
        return crossesRotaryLimit(held, held + sequence.pendingCount());
    }

    private boolean crossesRotaryLimit(int before, int after) {
        return model.rotary().isShort(before) && !model.rotary().isShort(after);
    }
}
