package io.shadowkv.eval.report.section;

import io.shadowkv.eval.Method;
import io.shadowkv.eval.run.AnswerRecord;
import io.shadowkv.eval.statistics.Grid;
import io.shadowkv.report.page.Page.Block;
import io.shadowkv.report.page.Page.Cell;
import io.shadowkv.report.page.Page.Column;
import io.shadowkv.report.page.Page.Prose;
import io.shadowkv.report.page.Page.Row;
import io.shadowkv.report.page.Page.Section;
import io.shadowkv.report.page.Page.Table;
import io.shadowkv.report.page.Page.Tone;
import io.shadowkv.report.plot.Quantity;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/// The samples on which full attention did better than the method.
public final class LostSamplesSection {
    private static final int MOST = 20;
    private static final int LONGEST = 140;

    private record Loss(AnswerRecord full, AnswerRecord method) {
        double drop() {
            return full.score() - method.score();
        }
    }

    private LostSamplesSection() {}

    public static Section of(List<Grid> grids) {
        List<Block> blocks = new ArrayList<>();
        List<String> spotless = new ArrayList<>();
        List<Method> methods = grids.stream()
                .filter(Grid::hasFull)
                .flatMap(grid -> grid.others().stream())
                .distinct()
                .sorted(Grid.METHOD_ORDER)
                .toList();
        for (Method method : methods) {
            List<Loss> losses = grids.stream()
                    .flatMap(grid -> losses(grid, method).stream())
                    .sorted(Comparator.comparingDouble(Loss::drop).reversed())
                    .toList();
            if (losses.isEmpty()) {
                spotless.add(method.label());
            } else {
                blocks.add(table(method, losses, methods.size() > 2));
            }
        }
        if (!spotless.isEmpty()) {
            blocks.add(new Prose(
                    "Full attention did not do better on any sample than " + String.join(", ", spotless) + "."));
        }
        if (methods.isEmpty()) {
            blocks.add(new Prose("Nothing to compare: one of the methods must be full attention."));
        }
        return new Section("weakest", "Samples that full attention answered better", blocks);
    }

    private static List<Loss> losses(Grid grid, Method method) {
        List<Loss> losses = new ArrayList<>();
        for (String task : grid.tasks()) {
            grid.answers(task, Method.FULL)
                    .ifPresent(full -> grid.answers(task, method)
                            .ifPresent(other -> other.samples().forEach((sample, turns) -> {
                                var judges = full.samples().get(sample);
                                turns.values().forEach(answer -> {
                                    AnswerRecord judge = judges == null
                                            ? null
                                            : judges.get(answer.key().turn());
                                    if (judge != null
                                            && isSamePrompt(judge, answer)
                                            && judge.score() > answer.score() + 1e-9) {
                                        losses.add(new Loss(judge, answer));
                                    }
                                });
                            })));
        }
        return losses;
    }

    /// Compares first turns only: later prompts may contain the method's own answers.
    private static boolean isSamePrompt(AnswerRecord judge, AnswerRecord answer) {
        return answer.key().turn() > 0 || judge.promptHash().equals(answer.promptHash());
    }

    private static Table table(Method method, List<Loss> losses, boolean isFolded) {
        String caption = method.label() + ": "
                + (losses.size() > MOST
                        ? MOST + " of " + losses.size() + " samples, largest differences first"
                        : losses.size() == 1 ? "1 sample" : losses.size() + " samples");
        return new Table(
                caption,
                List.of(
                        Column.text("task"),
                        Column.number("sample"),
                        Column.number("score, %"),
                        Column.text("right answers"),
                        Column.text("full attention wrote"),
                        Column.text("the method wrote")),
                losses.stream().limit(MOST).map(LostSamplesSection::row).toList(),
                "",
                isFolded);
    }

    private static Row row(Loss loss) {
        AnswerRecord.Key key = loss.method().key();
        String length = key.contextTokens() == 0 ? "" : Quantity.tokens(key.contextTokens());
        String turn = key.turn() == 0 ? "" : "turn " + key.turn();
        return Row.of(
                new Cell(key.task(), length),
                new Cell(Integer.toString(key.index()), turn),
                new Cell(percent(loss.full()) + " → " + percent(loss.method())),
                quote(String.join(" | ", loss.method().references())),
                quote(loss.full().answer()),
                quote(loss.method().answer()));
    }

    private static String percent(AnswerRecord answer) {
        return Long.toString(Math.round(100 * answer.score()));
    }

    private static Cell quote(String text) {
        String line = readable(text).strip().replaceAll("\\s+", " ");
        if (line.codePointCount(0, line.length()) > LONGEST) {
            line = line.substring(0, line.offsetByCodePoints(0, LONGEST)) + "…";
        }
        return new Cell(line.isEmpty() ? "(nothing)" : line, "", Tone.QUOTE);
    }

    /// Removes what XML does not allow: control characters, unpaired surrogates, noncharacters.
    private static String readable(String text) {
        return text.codePoints()
                .map(c -> {
                    boolean isControl = Character.isISOControl(c) && !Character.isWhitespace(c);
                    boolean isHalf = Character.getType(c) == Character.SURROGATE;
                    return isControl || isHalf || (c & 0xfffe) == 0xfffe ? 0xfffd : c;
                })
                .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
                .toString();
    }
}
