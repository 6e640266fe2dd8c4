package io.shadowkv.engine.study;

import io.shadowkv.cache.CacheStrategy;
import io.shadowkv.cache.SequenceCache;
import io.shadowkv.engine.Completion;
import io.shadowkv.engine.GenerationOptions;
import io.shadowkv.engine.PlannedSequence;
import io.shadowkv.engine.Request;
import io.shadowkv.engine.batch.Planner;
import io.shadowkv.engine.batch.Scheduler;
import io.shadowkv.engine.batch.Sequence;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CancellationException;
import org.jspecify.annotations.Nullable;

/// Answers prompts under one strategy, all of them together, turn by turn.
final class StrategyRun implements AutoCloseable {
    private final List<StrategyComparison.Prompt> prompts;
    private final CacheStrategy strategy;
    private final Planner planner;
    private final Scheduler scheduler;
    private final TurnFactory turns;
    private final List<List<Completion>> completions = new ArrayList<>();
    private @Nullable List<DivergenceMeter.Reference> recorded;
    private @Nullable List<DivergenceMeter.Reference> references;

    /// @param scheduler scheduler of the strategy, with room for all prompts; closed by this
    StrategyRun(
            List<StrategyComparison.Prompt> prompts,
            CacheStrategy strategy,
            Planner planner,
            Scheduler scheduler,
            TurnFactory turns) {
        this.prompts = prompts;
        this.strategy = strategy;
        this.planner = planner;
        this.scheduler = scheduler;
        this.turns = turns;
        prompts.forEach(prompt -> completions.add(new ArrayList<>()));
    }

    /// Records the logits of the first answers as references for other runs. [#answer()] fills
    /// them.
    List<DivergenceMeter.Reference> recordReferences() {
        List<DivergenceMeter.Reference> fresh = new ArrayList<>();
        prompts.forEach(prompt -> fresh.add(new DivergenceMeter.Reference()));
        recorded = fresh;
        return fresh;
    }

    /// Measures how far the distributions of the first answers are from these references.
    void measure(List<DivergenceMeter.Reference> answersOfFull) {
        references = answersOfFull;
    }

    /// Answers every turn of every prompt.
    ///
    /// @throws CancellationException if a request was cancelled
    List<ComparedAnswers> answer() {
        @Nullable DivergenceMeter[] meters = new DivergenceMeter[prompts.size()];
        @Nullable Sequence[] sequences = new Sequence[prompts.size()];
        int longest = prompts.stream()
                .mapToInt(prompt -> prompt.dialogue().turns())
                .max()
                .orElse(0);
        try {
            for (int turn = 0; turn < longest; turn++) {
                for (int i = 0; i < sequences.length; i++) {
                    sequences[i] = next(prompts.get(i), turn, sequences[i]);
                    if (turn == 0) {
                        listen(sequences[i], i, meters);
                    }
                }
                run(sequences);
                note(sequences, turn);
            }
        } finally {
            close(sequences);
        }
        finishMeters(meters);
        List<ComparedAnswers> answers = new ArrayList<>();
        for (int i = 0; i < sequences.length; i++) {
            DivergenceMeter meter = meters[i];
            answers.add(new ComparedAnswers(completions.get(i), meter == null ? null : meter.result(), prompts.size()));
        }
        return answers;
    }

    /// The sequence of a turn of the prompt; null if there is no such turn or it gets no answer.
    private @Nullable Sequence next(StrategyComparison.Prompt prompt, int turn, @Nullable Sequence before) {
        Dialogue dialogue = prompt.dialogue();
        int[] promptIds = prompt.first().promptIds();
        if (turn >= dialogue.turns()) {
            closeCache(before);
            return null;
        }
        if (turn == 0) {
            return dialogue.asksPrompt() ? opened(prompt, prompt.first(), new int[0]) : null;
        }
        if (dialogue.sharesPrompt()) {
            closeCache(before);
            Request request = dialogue.turn(turn, promptIds[promptIds.length - 1]);
            turns.check(request, promptIds.length, dialogue.capacityTokens());
            return opened(prompt, request, promptIds);
        }
        Sequence earlier = Objects.requireNonNull(before);
        if (dialogue.startsOver()) {
            Request request = dialogue.turnAfter(turn, earlier.completion().text());
            closeCache(earlier);
            int whole = request.promptIds().length + request.options().maxNewTokens();
            int capacity = Math.min(whole, dialogue.capacityTokens());
            turns.check(request, 0, capacity);
            return toBeRead(request, new int[0], planner.sequence(capacity, prompts.size()));
        }
        int[] history = earlier.ids();
        Request request = dialogue.turn(turn, history[history.length - 1]);
        turns.check(request, history.length, dialogue.capacityTokens());
        Sequence sequence = turns.turn(request, history, earlier.planned(), earlier.requireCache());
        keepIfMoreFollow(sequence, dialogue, turn);
        return sequence;
    }

    private static void keepIfMoreFollow(Sequence sequence, Dialogue dialogue, int turn) {
        if (!dialogue.sharesPrompt() && !dialogue.startsOver() && turn + 1 < dialogue.turns()) {
            sequence.keepCache();
        }
    }

    /// A sequence that begins with the prompt. Its cache is created from the prompt's keys and
    /// values if they were read once for all strategies; otherwise the scheduler reads the prompt.
    ///
    /// @param history the prompt if the request follows it; empty if the request is the prompt
    private Sequence opened(StrategyComparison.Prompt prompt, Request request, int[] history) {
        PlannedSequence planned = planner.sequence(prompt.dialogue().capacityTokens(), prompts.size());
        StrategyComparison.Prefilled read = prompt.prefilled();
        Sequence sequence = read == null
                ? toBeRead(request, history, planned)
                : opened(read, prompt.first().promptIds().length, request, history, planned);
        keepIfMoreFollow(sequence, prompt.dialogue(), history.length == 0 ? 0 : 1);
        return sequence;
    }

    private Sequence toBeRead(Request request, int[] history, PlannedSequence planned) {
        Sequence sequence = turns.turn(request, history, planned, null);
        sequence.readsHistoryFirst();
        return sequence;
    }

    private Sequence opened(
            StrategyComparison.Prefilled read,
            int promptTokens,
            Request request,
            int[] history,
            PlannedSequence planned) {
        long start = System.nanoTime();
        SequenceCache cache = strategy.openFrom(read.source(), promptTokens, planned.size());
        try {
            Sequence sequence = turns.turn(request, history, planned, cache);
            scheduler.ledger().holds(cache, planned);
            long indexing = System.nanoTime() - start;
            sequence.wasRead(read.nanos() + indexing, indexing, read.densities());
            return sequence;
        } catch (RuntimeException | Error e) {
            cache.close();
            throw e;
        }
    }

    /// Draws the first token of a prompt that was read once for all strategies; for other prompts
    /// the scheduler draws it.
    private static void begin(Sequence sequence, StrategyComparison.Prompt prompt) {
        StrategyComparison.Prefilled read = prompt.prefilled();
        if (read != null) {
            sequence.accept(read.logits().clone());
        }
    }

    private void listen(@Nullable Sequence sequence, int index, @Nullable DivergenceMeter[] meters) {
        if (sequence == null) {
            return;
        }
        if (recorded != null) {
            sequence.listenToLogits(recorded.get(index));
        } else if (references != null) {
            var meter = new DivergenceMeter(references.get(index));
            meters[index] = meter;
            sequence.listenToLogits(meter);
        }
        begin(sequence, prompts.get(index));
    }

    /// @throws RuntimeException the failure of a sequence
    private void run(@Nullable Sequence[] sequences) {
        List<Sequence> active = Arrays.stream(sequences)
                .filter(Objects::nonNull)
                .map(Objects::requireNonNull)
                .toList();
        scheduler.run(active);
        for (Sequence sequence : active) {
            RuntimeException failure = sequence.failure();
            if (failure != null) {
                throw failure;
            }
        }
    }

    private void note(@Nullable Sequence[] sequences, int turn) {
        for (int i = 0; i < sequences.length; i++) {
            Sequence sequence = sequences[i];
            if (sequence == null) {
                continue;
            }
            Completion completion = ended(sequence, "turn " + turn + " was answered");
            completions.get(i).add(completion);
            if (turn == 0 && recorded != null) {
                recorded.get(i).ends(completion.ids());
            }
        }
    }

    private static Completion ended(Sequence sequence, String when) {
        Completion completion = sequence.completion();
        if (completion.finish() == Completion.FinishReason.CANCELLED) {
            throw new CancellationException("cancelled while " + when);
        }
        return completion;
    }

    /// If an answer differs from that of full attention, reads the rest of the latter again with
    /// its own tokens.
    private void finishMeters(@Nullable DivergenceMeter[] meters) {
        List<DivergenceMeter.Reference> expected = references;
        if (expected == null) {
            return;
        }
        @Nullable Sequence[] sequences = new Sequence[meters.length];
        try {
            for (int i = 0; i < sequences.length; i++) {
                DivergenceMeter meter = meters[i];
                if (meter != null && !meter.isWhole()) {
                    DivergenceMeter again = new DivergenceMeter(expected.get(i));
                    meters[i] = again;
                    Sequence sequence = forced(i, expected.get(i));
                    sequences[i] = sequence;
                    sequence.listenToLogits(again);
                    begin(sequence, prompts.get(i));
                }
            }
            run(sequences);
            for (Sequence sequence : sequences) {
                if (sequence != null) {
                    ended(sequence, "the divergence was measured");
                }
            }
        } finally {
            close(sequences);
        }
    }

    private Sequence forced(int index, DivergenceMeter.Reference reference) {
        StrategyComparison.Prompt prompt = prompts.get(index);
        int[] answer = reference.ids();
        GenerationOptions greedy =
                GenerationOptions.DEFAULT.withMaxNewTokens(answer.length).withIgnoreEos(true);
        Request request = Request.of(prompt.first().promptIds(), greedy)
                .withCancellation(prompt.first().cancellation());
        Sequence sequence = opened(prompt, request, new int[0]);
        sequence.force(answer);
        return sequence;
    }

    private void close(@Nullable Sequence[] sequences) {
        for (Sequence sequence : sequences) {
            closeCache(sequence);
        }
    }

    private void closeCache(@Nullable Sequence sequence) {
        SequenceCache held = sequence == null ? null : sequence.cache();
        if (sequence != null && held != null) {
            scheduler.ledger().free(held);
            // Closed once, even if the next turn failed.
            sequence.holds(null);
        }
    }

    @Override
    public void close() {
        scheduler.close();
    }
}
