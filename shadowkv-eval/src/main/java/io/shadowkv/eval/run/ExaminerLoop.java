package io.shadowkv.eval.run;

import io.shadowkv.eval.Item;
import io.shadowkv.eval.SampleRefusal;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// Works through the queue on a thread of its own: gives items to an examiner, and opens another
/// examiner when one has failed.
final class ExaminerLoop {
    private final int number;
    private final Supplier<? extends Examiner> opener;
    private final EvalPlan plan;
    private final List<OpenItem> open;
    private final ItemQueue queue;
    private final Watcher watcher;
    private @Nullable Examiner examiner;

    /// Creates a loop.
    ///
    /// @param open everything that is missing in the log; the queue decides which of it this loop
    ///     gets
    ExaminerLoop(
            int number,
            Supplier<? extends Examiner> opener,
            EvalPlan plan,
            List<OpenItem> open,
            ItemQueue queue,
            Watcher watcher) {
        this.number = number;
        this.opener = opener;
        this.plan = plan;
        this.open = open;
        this.queue = queue;
        this.watcher = watcher;
    }

    /// Runs until no items are left or the run is cancelled.
    ///
    /// @param answered receives the answers to the items
    /// @param leftOut receives the refusals of items that cannot be asked
    /// @throws ExaminerFailure if an examiner cannot be opened, or items have failed too often
    void run(Consumer<List<AnswerRecord>> answered, Consumer<SampleRefusal> leftOut) {
        try {
            for (List<Item> items = queue.take(); !items.isEmpty(); items = queue.take()) {
                Examiner current = examiner();
                watcher.asking(number, items);
                current.expect(
                        Stream.concat(items.stream(), queue.upcoming().stream()).toList());
                try {
                    answered.accept(answers(current, items));
                    queue.answered(items);
                } catch (SampleRefusal e) {
                    if (!items.contains(e.item())) {
                        throw e;
                    }
                    leftOut.accept(e);
                    watcher.leftOut(number, e);
                    queue.leaveOut(items, e.item());
                } catch (ExaminerFailure e) {
                    close();
                    queue.failed(items, e);
                    watcher.failed(number, items, e);
                }
            }
        } catch (CancellationException | InterruptedException _) {
            queue.stop();
        } finally {
            close();
        }
    }

    private Examiner examiner() {
        Examiner current = examiner;
        if (current == null) {
            current = opener.get();
            examiner = current;
        }
        return current;
    }

    private List<AnswerRecord> answers(Examiner current, List<Item> items) {
        List<OpenItem> asked =
                open.stream().filter(item -> items.contains(item.item())).toList();
        Examiner.Wanted wanted = plan.wanted(asked);
        List<AnswerRecord> answers = current.examine(items, wanted, done -> watcher.reading(number, done)).stream()
                .filter(answer -> wanted.isWanted(answer.key()))
                .toList();
        plan.checkAnswered(asked, answers);
        return answers;
    }

    private void close() {
        Examiner current = examiner;
        examiner = null;
        if (current != null) {
            current.close();
        }
    }
}
