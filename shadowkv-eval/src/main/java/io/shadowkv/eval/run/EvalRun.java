package io.shadowkv.eval.run;

import io.shadowkv.eval.Item;
import io.shadowkv.eval.LeftOut;
import io.shadowkv.eval.SampleRefusal;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CancellationException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// Gives the open items of a plan to one or more examiners and appends every answer to the log as
/// it comes.
///
/// Each examiner has a thread, on which it is opened, used and closed; only the thread that calls
/// [#run] writes to the log. If an examiner fails, it is closed, another is opened in its place,
/// and its items are asked again. No answer is lost or counted twice: the answers of one call of an
/// examiner are appended all or not at all, and only if the log does not have them.
public final class EvalRun {
    private final EvalPlan plan;
    private final AnswerLog log;
    private final Options options;
    private final Watcher watcher;
    private final BooleanSupplier isCancelled;
    private final List<LeftOut> leftOut = new ArrayList<>();

    /// Options of a run.
    ///
    /// @param batch number of items asked together
    /// @param failuresPerItem number of examiners that may fail on an item before the run gives up
    public record Options(int batch, int failuresPerItem) {
        public Options {
            if (batch < 1 || failuresPerItem < 1) {
                throw new IllegalArgumentException("batch and failures per item must be at least 1; they are " + batch
                        + " and " + failuresPerItem);
            }
        }

        /// Options with the default number of failures.
        ///
        /// @param batch number of items asked together
        public static Options ofBatch(int batch) {
            return new Options(batch, 3);
        }
    }

    /// Creates a run.
    ///
    /// @param log has the answers so far; only used by the thread that calls [#run]
    /// @param isCancelled checked by every thread between batches; an examiner must check it itself
    ///     to end sooner
    public EvalRun(EvalPlan plan, AnswerLog log, Options options, Watcher watcher, BooleanSupplier isCancelled) {
        this.plan = plan;
        this.log = log;
        this.options = options;
        this.watcher = watcher;
        this.isCancelled = isCancelled;
    }

    /// Asks the open items. After an error or an interruption the other examiners finish their
    /// items, so that these answers are not lost.
    ///
    /// @param items the wanted items; those in the log are skipped
    /// @param openers one for each examiner: opens it, and opens another one after a failure
    /// @return all answers to the items, see [EvalPlan#answers]
    /// @throws CancellationException if the run was cancelled or interrupted; the log has the
    ///     answers so far
    /// @throws SampleRefusal if no sample can be asked; if some can, the others are left out
    /// @throws ExaminerFailure if an examiner cannot be opened, or too many failed on one item
    public List<AnswerRecord> run(List<Item> items, List<? extends Supplier<? extends Examiner>> openers) {
        if (openers.isEmpty()) {
            throw new IllegalArgumentException("a run needs an examiner; give at least one");
        }
        List<Item> distinct = items.stream().distinct().toList();
        List<OpenItem> open = plan.open(distinct, log.answers());
        List<SampleRefusal> refusals = open.isEmpty() ? List.of() : ask(open, distinct.size(), openers);
        int left = plan.open(distinct, log.answers()).size() - refusals.size();
        if (left > 0) {
            throw new CancellationException("cancelled with " + (distinct.size() - left) + " of " + distinct.size()
                    + " samples answered; the same run again asks the others");
        }
        List<AnswerRecord> answers = plan.answers(distinct, log.answers());
        if (answers.isEmpty() && !refusals.isEmpty()) {
            throw refusals.getFirst();
        }
        return answers;
    }

    /// The samples that [#run] left out because they cannot be asked.
    public List<LeftOut> leftOut() {
        return List.copyOf(leftOut);
    }

    private List<SampleRefusal> ask(
            List<OpenItem> open, int total, List<? extends Supplier<? extends Examiner>> openers) {
        var queue = new ItemQueue(open.stream().map(OpenItem::item).toList(), options, isCancelled);
        var writer = new Writer(queue, new AnswerCollector(log, total, open.size()));
        int examiners = Math.min(openers.size(), Math.ceilDiv(open.size(), options.batch()));
        for (int i = 0; i < examiners; i++) {
            int number = i;
            var loop = new ExaminerLoop(number, openers.get(number), plan, open, queue, watcher);
            Thread.ofPlatform().name("examiner-" + number).daemon().start(() -> {
                Throwable failure = null;
                try {
                    loop.run(
                            answers -> writer.reports.add(new Report.Answered(number, answers)),
                            refusal -> writer.reports.add(new Report.Refused(refusal)));
                } catch (RuntimeException | Error e) {
                    failure = e;
                }
                writer.reports.add(new Report.Ended(failure));
            });
        }
        writer.write(examiners);
        return writer.refusals;
    }

    /// A message from an examiner's thread to the thread that writes the log.
    private sealed interface Report {
        record Answered(int examiner, List<AnswerRecord> answers) implements Report {}

        record Refused(SampleRefusal refusal) implements Report {}

        /// The end of an examiner's thread.
        ///
        /// @param failure why it ended; null if there were no more items
        record Ended(@Nullable Throwable failure) implements Report {}
    }

    /// Handles reports until all examiners' threads have ended; runs on the caller's thread.
    private final class Writer {
        private final BlockingQueue<Report> reports = new LinkedBlockingQueue<>();
        private final ItemQueue queue;
        private final AnswerCollector collector;
        private final List<SampleRefusal> refusals = new ArrayList<>();
        private @Nullable Throwable failure;

        Writer(ItemQueue queue, AnswerCollector collector) {
            this.queue = queue;
            this.collector = collector;
        }

        void write(int examiners) {
            boolean isInterrupted = false;
            int running = examiners;
            while (running > 0) {
                try {
                    switch (reports.take()) {
                        case Report.Answered report -> append(report);
                        case Report.Refused refused -> leaveOut(refused.refusal());
                        case Report.Ended ended -> {
                            running--;
                            note(ended.failure());
                        }
                    }
                } catch (InterruptedException _) {
                    isInterrupted = true;
                    queue.stop();
                } catch (RuntimeException | Error e) {
                    note(e);
                }
            }
            if (isInterrupted) {
                Thread.currentThread().interrupt();
            }
            switch (failure) {
                case null -> {}
                case RuntimeException e -> throw e;
                case Error e -> throw e;
                default -> throw new IllegalStateException(failure);
            }
        }

        private void append(Report.Answered report) {
            AnswerCollector.Appended appended = collector.append(report.answers());
            watcher.answered(report.examiner(), appended.fresh(), appended.progress());
        }

        private void leaveOut(SampleRefusal refusal) {
            refusals.add(refusal);
            Item item = refusal.item();
            leftOut.add(
                    new LeftOut(item.task(), plan.contextTokens(), item.index(), String.valueOf(refusal.getMessage())));
        }

        /// The first failure ends the run; later ones are added to it as suppressed exceptions.
        private void note(@Nullable Throwable other) {
            if (other == null) {
                return;
            }
            queue.stop();
            if (failure == null) {
                failure = other;
            } else if (!failure.equals(other)) {
                failure.addSuppressed(other);
            }
        }
    }
}
