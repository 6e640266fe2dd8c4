package io.shadowkv.eval.ruler;

import io.shadowkv.eval.EvalTask;
import io.shadowkv.eval.Sample;
import io.shadowkv.eval.TaskContext;
import io.shadowkv.eval.needle.RandomDraws;
import io.shadowkv.eval.ruler.text.Draft;
import io.shadowkv.eval.ruler.text.Generator;
import io.shadowkv.eval.ruler.text.RulerKind;
import io.shadowkv.eval.ruler.text.RulerVersion;
import java.util.SplittableRandom;

/// One of RULER's tasks at a given length. Every row is drawn from its own random stream; all rows
/// have the size that one search found. Thread-safe.
public final class RulerTask implements EvalTask {
    private final RulerKind kind;
    private final TaskContext context;
    private final RulerVersion version;
    private final Generator generator;
    private int size;

    RulerTask(RulerKind kind, TaskContext context, Generator generator) {
        this.kind = kind;
        this.context = context;
        this.generator = generator;
        version = RulerVersion.of(context.options().rulerVersion());
    }

    @Override
    public String name() {
        return RulerSuite.NAME + "/" + kind.name();
    }

    @Override
    public int size() {
        return generator.samples();
    }

    @Override
    public Sample sample(int index) {
        return row(index).sample();
    }

    /// Returns a row: a sample with the properties that RULER's own files have for it.
    ///
    /// @throws IllegalArgumentException if there is no such row, or the context is too short for it
    public RulerRow row(int index) {
        if (index < 0 || index >= size()) {
            throw new IllegalArgumentException(
                    "%s has %,d samples; there is no sample %,d".formatted(name(), size(), index));
        }
        SplittableRandom random = RandomDraws.random(context.seed(), name(), index);
        int units = searched();
        int redraws = generator.redraws();
        int shortest = Integer.MAX_VALUE;
        while (units >= generator.least()) {
            Draft draft = generator.draft(index, units, random);
            int length = generator.length(draft);
            if (length <= generator.mostTokens()) {
                return new RulerRow(kind, version, index, draft, length, context.format());
            }
            shortest = Math.min(shortest, length);
            units -= redraws-- > 0 ? 0 : generator.step();
        }
        throw tooShort(index, shortest);
    }

    /// Checks that the smallest text of the first sample fits the context, before any sample is
    /// asked.
    ///
    /// @throws IllegalArgumentException if it does not fit
    RulerTask checkFits() {
        SplittableRandom random = RandomDraws.random(context.seed(), name(), 0);
        int shortest = Integer.MAX_VALUE;
        for (int draws = 0; draws <= generator.redraws(); draws++) {
            shortest = Math.min(shortest, generator.length(generator.draft(0, generator.least(), random)));
            if (shortest <= generator.mostTokens()) {
                return this;
            }
        }
        throw tooShort(0, shortest);
    }

    private IllegalArgumentException tooShort(int index, int shortest) {
        return new IllegalArgumentException(
                "sample %,d of %s does not fit: %,d tokens were allowed%s. Ask for a longer context, or leave the task out"
                        .formatted(
                                index,
                                name(),
                                context.contextTokens(),
                                shortest == Integer.MAX_VALUE
                                        ? ", less than the shortest text needs"
                                        : ", its shortest text and answer have %,d".formatted(shortest)));
    }

    /// The number of filler units that the search found.
    synchronized int searched() {
        if (size == 0) {
            size = generator.search(RandomDraws.random(context.seed(), name() + ", size", 0));
        }
        return size;
    }
}
