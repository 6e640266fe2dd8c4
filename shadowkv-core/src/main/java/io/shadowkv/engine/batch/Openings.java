package io.shadowkv.engine.batch;

import io.shadowkv.engine.PlannedSequence;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// What one call of admission will open: a reading of prompts, and readings of turns. Turns of forks of
/// one prefix are read together, since what they share is restored once for all of them.
final class Openings {
    private final List<Sequence> prompts = new ArrayList<>();
    private final List<TurnGroup> turns = new ArrayList<>();
    private final int maxRows;
    private int promptRows;

    /// @param maxRows maximum number of rows of a reading of several sequences; a single one may have
    ///     more
    Openings(int maxRows) {
        this.maxRows = maxRows;
    }

    /// True if a prompt of this length may be read together with the others.
    boolean takesPrompt(int tokens) {
        return prompts.isEmpty() || promptRows + tokens <= maxRows;
    }

    void addPrompt(Sequence sequence) {
        prompts.add(sequence);
        promptRows += sequence.length();
    }

    List<Sequence> prompts() {
        return prompts;
    }

    /// Makes room for a fork of a prefix. If its turn will be read together with others, one workspace
    /// serves all of them.
    ///
    /// @param rows tokens of the turn; 0 if it is decoded
    /// @return false if there is no memory
    boolean makeRoomForFork(PlannedSequence fork, Prefix prefix, int rows, Prefixes prefixes) {
        TurnGroup group = rows == 0 ? null : group(prefix.shared(), rows);
        return group == null
                ? prefixes.makeRoom(fork, memory())
                : prefixes.makeRoom(group.workspaceWith(fork, prefix.ids().length + rows, rows), memoryWithout(group));
    }

    /// True if the turn of a sequence needs no reading of its own.
    boolean joinsTurns(Sequence sequence) {
        return group(sequence.prefix(), sequence.unread()) != null;
    }

    /// Adds a turn to those that it may be read with, if there is memory.
    ///
    /// @return false if there is no memory to read it in rows
    boolean addTurn(Sequence sequence, Prefixes prefixes) {
        TurnGroup group = group(sequence.prefix(), sequence.unread());
        TurnGroup grown = group == null ? new TurnGroup(List.of(sequence)) : group.with(sequence);
        if (!prefixes.makeRoom(grown.workspace(), memoryWithout(group))) {
            return false;
        }
        if (group != null) {
            turns.remove(group);
        }
        turns.add(grown);
        return true;
    }

    private @Nullable TurnGroup group(@Nullable Prefix prefix, int rows) {
        return turns.stream()
                .filter(candidate -> candidate.takes(prefix, rows, maxRows))
                .findFirst()
                .orElse(null);
    }

    List<TurnGroup> turns() {
        return turns;
    }

    /// Number of readings.
    int readings() {
        return turns.size() + (prompts.isEmpty() ? 0 : 1);
    }

    /// The memory of everything that will be opened.
    List<PlannedSequence> memory() {
        return memoryWithout(null);
    }

    private List<PlannedSequence> memoryWithout(@Nullable TurnGroup group) {
        List<PlannedSequence> memory = new ArrayList<>();
        prompts.forEach(prompt -> memory.add(prompt.planned()));
        turns.stream().filter(other -> !other.equals(group)).forEach(other -> memory.add(other.workspace()));
        return memory;
    }
}
