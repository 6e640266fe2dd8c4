package io.shadowkv.eval.run;

import io.shadowkv.eval.Item;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;

/// The items still to be asked, shared by all examiners. Thread-safe.
///
/// After a failure of an examiner its items return to the front and are asked one by one from then
/// on. So the item that makes examiners fail is identified, and the other items of its batch are
/// not counted as failing.
final class ItemQueue {
    private static final long MILLIS_BETWEEN_LOOKS = 50;

    private final Deque<Item> open;
    private final Map<Item, Integer> failures = new HashMap<>();
    private final int batch;
    private final int failuresPerItem;
    private final BooleanSupplier isCancelled;
    private int asked;
    private boolean isStopped;

    ItemQueue(Collection<Item> items, EvalRun.Options options, BooleanSupplier isCancelled) {
        this.open = new ArrayDeque<>(items);
        this.batch = options.batch();
        this.failuresPerItem = options.failuresPerItem();
        this.isCancelled = isCancelled;
    }

    /// Takes the next items; waits if no item is open but some being asked may return.
    ///
    /// @return empty if no items are left
    synchronized List<Item> take() throws InterruptedException {
        while (open.isEmpty() && asked > 0 && goesOn()) {
            wait(MILLIS_BETWEEN_LOOKS);
        }
        List<Item> taken = new ArrayList<>();
        if (goesOn()) {
            while (taken.size() < batch && !open.isEmpty() && goesWith(open.peek(), taken)) {
                taken.add(open.remove());
            }
        }
        asked += taken.size();
        return taken;
    }

    /// The items that will probably be taken next.
    synchronized List<Item> upcoming() {
        return open.stream().limit(batch).toList();
    }

    private boolean goesOn() {
        return !isStopped && !isCancelled.getAsBoolean();
    }

    private boolean goesWith(Item item, List<Item> taken) {
        return taken.isEmpty() || !failures.containsKey(item) && !failures.containsKey(taken.getFirst());
    }

    synchronized void answered(List<Item> items) {
        asked -= items.size();
        notifyAll();
    }

    /// Returns items whose examiner failed.
    ///
    /// @throws ExaminerFailure if one of them has reached the limit; it names the item
    synchronized void failed(List<Item> items, ExaminerFailure failure) {
        asked -= items.size();
        for (Item item : items.reversed()) {
            open.addFirst(item);
            if (failures.merge(item, 1, Integer::sum) >= failuresPerItem) {
                isStopped = true;
            }
        }
        notifyAll();
        for (Item item : items) {
            int count = failures.getOrDefault(item, 0);
            if (count >= failuresPerItem) {
                throw new ExaminerFailure(
                        "sample " + item.index() + " of " + item.task() + " was asked " + count
                                + " times, and every time the examiner failed; the last time: "
                                + failure.getMessage() + ". Inspect that sample, or leave it out",
                        failure);
            }
        }
    }

    /// Returns items that were not asked, except the one that cannot be asked.
    synchronized void leaveOut(List<Item> items, Item refused) {
        asked -= items.size();
        items.reversed().stream().filter(item -> !item.equals(refused)).forEach(open::addFirst);
        notifyAll();
    }

    /// Stops handing out items.
    synchronized void stop() {
        isStopped = true;
        notifyAll();
    }
}
