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
/// Items whose examiner failed come back to the front and are asked alone from then on, so that the one
/// that makes examiners fail is found, and the others are not blamed for it.
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

    /// The next items; waits while none is open but some that are being asked may come back.
    ///
    /// @return empty if there is nothing left to do
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

    /// The items that are likely to be taken next.
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

    /// Takes items back whose examiner failed.
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
                                + failure.getMessage() + ". Look into that sample, or leave it out",
                        failure);
            }
        }
    }

    /// Takes items back that were not asked, but for one that cannot be.
    synchronized void leaveOut(List<Item> items, Item refused) {
        asked -= items.size();
        items.reversed().stream().filter(item -> !item.equals(refused)).forEach(open::addFirst);
        notifyAll();
    }

    /// Nothing more is given out.
    synchronized void stop() {
        isStopped = true;
        notifyAll();
    }
}
