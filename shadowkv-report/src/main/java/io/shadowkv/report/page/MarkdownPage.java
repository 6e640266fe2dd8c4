package io.shadowkv.report.page;

import io.shadowkv.report.page.Page.Block;
import io.shadowkv.report.page.Page.Cell;
import io.shadowkv.report.page.Page.Column;
import io.shadowkv.report.page.Page.Facts;
import io.shadowkv.report.page.Page.Picture;
import io.shadowkv.report.page.Page.Prose;
import io.shadowkv.report.page.Page.Row;
import io.shadowkv.report.page.Page.Section;
import io.shadowkv.report.page.Page.Table;
import java.util.stream.Collectors;

/// Writes a [Page] as Markdown with tables; figures become links to their files.
public final class MarkdownPage {
    private MarkdownPage() {}

    public static String of(Page page) {
        StringBuilder out = new StringBuilder();
        out.append("# ")
                .append(plain(page.title()))
                .append("\n\n")
                .append(plain(page.lead()))
                .append("\n\n");
        page.notes().forEach(note -> out.append("> ").append(plain(note)).append("\n\n"));
        for (Section section : page.sections()) {
            out.append("## ").append(plain(section.title())).append("\n\n");
            section.blocks().forEach(block -> block(out, block));
        }
        return out.toString();
    }

    private static void block(StringBuilder out, Block block) {
        switch (block) {
            case Prose prose -> out.append(plain(prose.text())).append("\n\n");
            case Facts facts -> {
                out.append("| | |\n|---|---|\n");
                facts.facts()
                        .forEach((name, value) -> out.append("| ")
                                .append(cell(name))
                                .append(" | ")
                                .append(cell(value))
                                .append(" |\n"));
                out.append('\n');
            }
            case Table table -> table(out, table);
            case Picture picture ->
                out.append("![")
                        .append(plain(picture.figure().title()))
                        .append("](")
                        .append(picture.figure().id())
                        .append(".svg)\n\n")
                        .append(plain(picture.caption()))
                        .append("\n\n");
        }
    }

    private static void table(StringBuilder out, Table table) {
        out.append("**").append(plain(table.caption())).append("**\n\n|");
        for (Column column : table.columns()) {
            out.append(' ').append(cell(column.name())).append(" |");
        }
        out.append("\n|");
        table.columns().forEach(column -> out.append(column.isNumber() ? "---:|" : "---|"));
        out.append('\n');
        for (Row row : table.rows()) {
            String cells = row.cells().stream().map(MarkdownPage::cell).collect(Collectors.joining(" | "));
            out.append(
                    row.kind() == Row.Kind.GROUP
                            ? "| **" + cells + "** |"
                                    + " |".repeat(table.columns().size() - 1) + "\n"
                            : "| " + cells + " |\n");
        }
        out.append('\n');
        if (!table.note().isEmpty()) {
            out.append(plain(table.note())).append("\n\n");
        }
    }

    private static String cell(Cell cell) {
        String detail = cell.detail().isEmpty() ? "" : " (" + cell.detail() + ")";
        return cell(cell.text() + detail);
    }

    private static String cell(String text) {
        return plain(text);
    }

    /// Escapes text so that a Markdown reader does not interpret it as markup.
    static String plain(String text) {
        return text.replaceAll("[\\\\`*_\\[\\]<|#~&]", "\\\\$0").replaceAll("\\s+", " ");
    }
}
