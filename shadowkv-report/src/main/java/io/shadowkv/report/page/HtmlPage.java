package io.shadowkv.report.page;

import static io.shadowkv.report.plot.Svg.escape;

import io.shadowkv.report.page.Page.Block;
import io.shadowkv.report.page.Page.Card;
import io.shadowkv.report.page.Page.Cell;
import io.shadowkv.report.page.Page.Column;
import io.shadowkv.report.page.Page.Facts;
import io.shadowkv.report.page.Page.Picture;
import io.shadowkv.report.page.Page.Prose;
import io.shadowkv.report.page.Page.Row;
import io.shadowkv.report.page.Page.Section;
import io.shadowkv.report.page.Page.Table;
import io.shadowkv.report.page.Page.Tone;
import io.shadowkv.report.plot.Figure;
import io.shadowkv.report.plot.PlotStyle;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;

/// Writes a [Page] as one HTML file without external resources: no scripts, fonts or linked
/// pictures. The output is also well-formed XML, so tests can parse it.
public final class HtmlPage {
    /// Maximum number of columns for details next to their numbers; a wider table would not fit the
    /// page.
    private static final int MOST_FLAT = 4;

    private final StringBuilder out = new StringBuilder();
    private final boolean hasBitmaps;

    private HtmlPage(boolean hasBitmaps) {
        this.hasBitmaps = hasBitmaps;
    }

    /// @param hasBitmaps whether each figure is also stored as a PNG file, which the page links to
    public static String of(Page page, boolean hasBitmaps) {
        return new HtmlPage(hasBitmaps).write(page);
    }

    private String write(Page page) {
        out.append("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n")
                .append("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n<title>")
                .append(escape(page.title()))
                .append("</title>\n<style>\n")
                .append(PlotStyle.COLOURS)
                .append(ReportStyle.RULES)
                .append(PlotStyle.RULES)
                .append("</style>\n</head>\n<body>\n<main>\n<header>\n<h1>")
                .append(escape(page.title()))
                .append("</h1>\n<p class=\"lead\">")
                .append(escape(page.lead()))
                .append("</p>\n");
        cards(page.cards());
        notes(page.notes());
        contents(page.sections());
        out.append("</header>\n");
        page.sections().forEach(this::section);
        return out.append("</main>\n</body>\n</html>\n").toString();
    }

    private void cards(List<Card> cards) {
        if (cards.isEmpty()) {
            return;
        }
        out.append("<dl class=\"cards\">\n");
        for (Card card : cards) {
            out.append("<div><dt>%s</dt><dd>%s<small>%s</small></dd></div>\n"
                    .formatted(escape(card.name()), escape(card.value()), escape(card.detail())));
        }
        out.append("</dl>\n");
    }

    private void notes(List<String> notes) {
        if (notes.isEmpty()) {
            return;
        }
        out.append("<ul class=\"notes\" aria-label=\"Notes\">\n");
        notes.forEach(note -> out.append("<li>").append(escape(note)).append("</li>\n"));
        out.append("</ul>\n");
    }

    private void contents(List<Section> sections) {
        out.append("<nav aria-label=\"Contents\"><ul>\n");
        sections.forEach(section -> out.append(
                "<li><a href=\"#%s\">%s</a></li>\n".formatted(escape(section.id()), escape(section.title()))));
        out.append("</ul></nav>\n");
    }

    private void section(Section section) {
        out.append("<section id=\"%s\">\n<h2>%s</h2>\n".formatted(escape(section.id()), escape(section.title())));
        section.blocks().forEach(this::block);
        out.append("</section>\n");
    }

    private void block(Block block) {
        switch (block) {
            case Prose prose ->
                out.append("<p class=\"note\">").append(escape(prose.text())).append("</p>\n");
            case Facts facts -> {
                out.append("<dl class=\"facts\">\n");
                facts.facts()
                        .forEach((name, value) -> out.append(
                                "<div><dt>%s</dt><dd>%s</dd></div>\n".formatted(escape(name), escape(value))));
                out.append("</dl>\n");
            }
            case Table table -> {
                if (table.isFolded()) {
                    folded(table.caption(), () -> table(table));
                } else {
                    table(table);
                }
            }
            case Picture picture -> {
                if (picture.isFolded()) {
                    Figure figure = picture.figure();
                    folded(figure.title() + ": " + figure.description(), () -> picture(picture));
                } else {
                    picture(picture);
                }
            }
        }
    }

    private void folded(String summary, Runnable content) {
        out.append("<details>\n<summary>").append(escape(summary)).append("</summary>\n");
        content.run();
        out.append("</details>\n");
    }

    private void picture(Picture picture) {
        String file = picture.figure().id();
        out.append("<figure>\n").append(picture.figure().inlineSvg());
        out.append("<figcaption>%s <a href=\"%s.svg\">SVG</a>".formatted(escape(picture.caption()), file));
        if (hasBitmaps) {
            out.append(" <a href=\"%s.png\">PNG</a>".formatted(file));
        }
        out.append("</figcaption>\n</figure>\n");
    }

    private void table(Table table) {
        String caption = escape(table.caption());
        out.append("<div class=\"scroll\" tabindex=\"0\" role=\"group\" aria-label=\"%s\">\n".formatted(caption))
                .append(isFlat(table) ? "<table class=\"flat\">" : "<table>")
                .append("\n<caption><span>")
                .append(caption)
                .append("</span></caption>\n");
        out.append("<thead><tr>");
        for (Column column : table.columns()) {
            out.append("<th scope=\"col\"%s>%s</th>"
                    .formatted(column.isNumber() ? " class=\"n\"" : "", escape(column.name())));
        }
        out.append("</tr></thead>\n<tbody>\n");
        for (Row row : table.rows()) {
            row(table, row);
        }
        out.append("</tbody>\n</table>\n</div>\n");
        if (!table.note().isEmpty()) {
            out.append("<p class=\"note\">").append(escape(table.note())).append("</p>\n");
        }
    }

    private void row(Table table, Row row) {
        switch (row.kind()) {
            case PLAIN -> out.append("<tr>");
            case TOTAL -> out.append("<tr class=\"total\">");
            case GROUP -> {
                Cell name = row.cells().getFirst();
                out.append("<tr class=\"group\"><th scope=\"rowgroup\" colspan=\"%d\">%s<small>%s</small></th></tr>\n"
                        .formatted(table.columns().size(), escape(name.text()), escape(name.detail())));
                return;
            }
        }
        for (int i = 0; i < row.cells().size(); i++) {
            cell(row.cells().get(i), table.columns().get(i), i == 0);
        }
        out.append("</tr>\n");
    }

    /// True if details are placed next to their numbers, which fits if few columns have details.
    private static boolean isFlat(Table table) {
        return IntStream.range(1, table.columns().size())
                        .filter(i -> table.rows().stream()
                                .anyMatch(row -> row.cells().size() > i
                                        && !row.cells().get(i).detail().isEmpty()))
                        .count()
                <= MOST_FLAT;
    }

    private void cell(Cell cell, Column column, boolean isHeader) {
        String tone = cell.tone() == Tone.PLAIN ? "" : cell.tone().name().toLowerCase(Locale.ROOT);
        String classes = (column.isNumber() ? "n " + tone : tone).strip();
        String attribute = classes.isEmpty() ? "" : " class=\"" + classes + "\"";
        String tag = isHeader ? "th" : "td";
        out.append("<%s%s%s>%s".formatted(tag, isHeader ? " scope=\"row\"" : "", attribute, escape(cell.text())));
        if (!cell.detail().isEmpty()) {
            out.append("<small>").append(escape(cell.detail())).append("</small>");
        }
        out.append("</").append(tag).append('>');
    }
}
