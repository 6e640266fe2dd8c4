package io.shadowkv.eval.report;

import io.shadowkv.eval.Method;
import io.shadowkv.eval.report.section.EfficiencySection;
import io.shadowkv.eval.report.section.LostSamplesSection;
import io.shadowkv.eval.report.section.NeedleSection;
import io.shadowkv.eval.report.section.PaperTables;
import io.shadowkv.eval.report.section.PrefillSection;
import io.shadowkv.eval.report.section.ReportSections;
import io.shadowkv.eval.report.section.RunSection;
import io.shadowkv.eval.report.section.SummarySection;
import io.shadowkv.eval.report.section.SweepSection;
import io.shadowkv.eval.run.RunInfo;
import io.shadowkv.eval.statistics.Grid;
import io.shadowkv.eval.statistics.PublishedNumbers;
import io.shadowkv.eval.statistics.Setting;
import io.shadowkv.report.page.HtmlPage;
import io.shadowkv.report.page.MarkdownPage;
import io.shadowkv.report.page.Page;
import io.shadowkv.report.page.Page.Picture;
import io.shadowkv.report.page.Page.Section;
import io.shadowkv.report.plot.Figure;
import io.shadowkv.report.plot.Png;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/// Writes the answers of a folder as `report.html`, `report.md` and, for every figure, a `.svg` and
/// a `.png` file.
public final class Report {
    /// The result of writing a report.
    ///
    /// @param files in the order written
    /// @param answers number of answers read
    /// @param notes what a reader must know, such as missing PNG files
    public record Written(List<Path> files, int answers, List<String> notes) {}

    /// The report warns about tasks with fewer samples.
    private static final int ENOUGH_SAMPLES = 30;

    private Report() {}

    /// Reads the logs in a folder and in the folders directly below it, and writes the report into
    /// that folder. Files of an earlier report are replaced; the logs are not changed.
    ///
    /// @throws IllegalArgumentException if the folder has no answers; the message says what was
    ///     expected
    /// @throws UncheckedIOException if a file cannot be read or written
    public static Written write(Path folder) {
        RunFolder runs = RunFolder.read(folder);
        Optional<String> obstacle = Png.obstacle();
        List<String> notes = new ArrayList<>(runs.notes());
        obstacle.ifPresent(reason -> notes.add("Figures were written as SVG only: " + reason + "."));
        Page page = page(runs, notes);
        List<Path> files = new ArrayList<>();
        try {
            files.add(Files.writeString(folder.resolve("report.html"), HtmlPage.of(page, obstacle.isEmpty())));
            files.add(Files.writeString(folder.resolve("report.md"), MarkdownPage.of(page)));
            for (Picture picture : page.pictures()) {
                Figure figure = picture.figure();
                files.add(Files.writeString(folder.resolve(figure.id() + ".svg"), figure.svgFile()));
                Path bitmap = folder.resolve(figure.id() + ".png");
                if (obstacle.isEmpty()) {
                    files.add(Files.write(bitmap, Png.of(figure)));
                } else {
                    // A bitmap of an earlier report would show other numbers.
                    Files.deleteIfExists(bitmap);
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return new Written(List.copyOf(files), runs.answers().size(), page.notes());
    }

    static Page page(RunFolder runs, List<String> notes) {
        List<String> order = runs.runs().stream()
                .flatMap(run -> run.tasks().stream())
                .distinct()
                .toList();
        var parts = runs.answers().stream().collect(Collectors.partitioningBy(NeedleSection::isMapped));
        List<Grid> grids = Grid.of(parts.getOrDefault(false, List.of()), order, Setting::of);
        List<Grid> needles = Grid.of(parts.getOrDefault(true, List.of()), order, Setting::ofAnyLength);
        List<Grid> all = new ArrayList<>(grids);
        all.addAll(needles);
        if (all.isEmpty()) {
            throw new IllegalArgumentException("none of the " + runs.answers().size()
                    + " answers has a score; a report needs tasks with right answers");
        }
        List<Section> sections = new ArrayList<>();
        PaperTables paper = PaperTables.load();
        sections.add(SummarySection.of(all));
        sections.addAll(ReportSections.scores(grids, paper));
        SweepSection.of(grids).ifPresent(sections::add);
        NeedleSection.of(needles, Grid.of(parts.getOrDefault(false, List.of()), order, Setting::ofAnyLength))
                .ifPresent(sections::add);
        sections.add(EfficiencySection.of(all, paper));
        PrefillSection.of(all).ifPresent(sections::add);
        sections.add(LostSamplesSection.of(all));
        sections.add(RunSection.settings(runs.runs()));
        sections.add(RunSection.method());
        List<String> allNotes = new ArrayList<>(notes);
        allNotes.addAll(PublishedNumbers.notes(runs.answers()));
        allNotes.addAll(gaps(all));
        return new Page(title(runs), lead(runs, all), SummarySection.cards(all), allNotes, sections);
    }

    private static String title(RunFolder runs) {
        return runs.runs().stream()
                .map(RunInfo::title)
                .filter(title -> !title.isBlank())
                .findFirst()
                .orElse("Full attention and ShadowKV on the same questions");
    }

    private static String lead(RunFolder runs, List<Grid> grids) {
        String models = join(grids.stream().map(grid -> grid.setting().model()).toList());
        String backends = join(grids.stream()
                .map(grid -> grid.setting().backend() + " " + grid.setting().kvType())
                .toList());
        String commits = join(runs.runs().stream().map(RunInfo::commit).toList());
        String started = join(runs.runs().stream().map(RunInfo::started).toList());
        return models + " on " + backends + ", " + runs.answers().size() + " answers"
                + (commits.isEmpty() ? "" : ", commit " + commits)
                + (started.isEmpty() ? "" : ", " + started) + ".";
    }

    private static String join(List<String> names) {
        return names.stream().distinct().collect(Collectors.joining(", "));
    }

    /// Notes about methods that have not answered the same samples.
    private static List<String> gaps(List<Grid> grids) {
        List<String> notes = new ArrayList<>();
        for (Grid grid : grids) {
            List<String> uneven = grid.tasks().stream()
                    .filter(task -> grid.methods().stream()
                                    .map(method -> grid.answers(task, method)
                                            .map(answers -> answers.samples().keySet().stream()
                                                    .toList())
                                            .orElse(List.of()))
                                    .distinct()
                                    .count()
                            > 1)
                    .map(Grid::shortName)
                    .toList();
            if (!uneven.isEmpty()) {
                notes.add(grid.suite() + ", " + ReportSections.name(grid, grids)
                        + ": not every method has answered the same samples of " + String.join(", ", uneven)
                        + ". A score is the mean over the samples that its method answered; a difference uses the"
                        + " samples that both methods answered.");
            }
            if (!grid.hasFull()) {
                notes.add(grid.suite() + ", " + ReportSections.name(grid, grids) + ": there are no answers of "
                        + Method.FULL.label() + " attention to compare with.");
            }
        }
        fewSamples(grids).ifPresent(notes::add);
        return notes;
    }

    /// A note about tasks with few samples, which do not support claims.
    private static Optional<String> fewSamples(List<Grid> grids) {
        List<String> few = new ArrayList<>();
        for (Grid grid : grids) {
            int least = grid.methods().stream()
                    .flatMap(method -> grid.answers(method).stream())
                    .mapToInt(answers -> answers.samples().size())
                    .min()
                    .orElse(0);
            if (least < ENOUGH_SAMPLES) {
                few.add(grid.suite() + ", " + ReportSections.name(grid, grids) + ": " + least);
            }
        }
        return few.isEmpty()
                ? Optional.empty()
                : Optional.of("Some tasks have fewer than " + ENOUGH_SAMPLES + " samples (" + String.join("; ", few)
                        + "). Judge them by their intervals, not by their scores.");
    }
}
