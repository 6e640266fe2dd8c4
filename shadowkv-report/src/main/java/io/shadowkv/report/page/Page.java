package io.shadowkv.report.page;

import io.shadowkv.report.plot.Figure;
import java.util.List;
import java.util.Map;

/// The content of a report, independent of its format (HTML or Markdown).
///
/// @param lead a sentence under the title
/// @param cards the most important numbers, at the top
/// @param notes warnings that a reader must know before relying on the numbers
public record Page(String title, String lead, List<Card> cards, List<String> notes, List<Section> sections) {
    public Page {
        cards = List.copyOf(cards);
        notes = List.copyOf(notes);
        sections = List.copyOf(sections);
    }

    /// All figures, in the order of the page.
    public List<Picture> pictures() {
        return sections.stream()
                .flatMap(section -> section.blocks().stream())
                .filter(Picture.class::isInstance)
                .map(Picture.class::cast)
                .toList();
    }

    /// All tables, in the order of the page.
    List<Table> tables() {
        return sections.stream()
                .flatMap(section -> section.blocks().stream())
                .filter(Table.class::isInstance)
                .map(Table.class::cast)
                .toList();
    }

    /// An important number at the top of the page.
    public record Card(String name, String value, String detail) {}

    /// @param id unique in the page
    public record Section(String id, String title, List<Block> blocks) {
        public Section {
            blocks = List.copyOf(blocks);
        }
    }

    /// An element of a section.
    public sealed interface Block permits Prose, Facts, Table, Picture {}

    public record Prose(String text) implements Block {}

    /// Names and their values.
    public record Facts(Map<String, String> facts) implements Block {}

    /// @param figure drawn in the page and stored in files named by its id
    /// @param isFolded whether the page shows the picture only after a click
    public record Picture(Figure figure, String caption, boolean isFolded) implements Block {
        public Picture(Figure figure, String caption) {
            this(figure, caption, false);
        }
    }

    /// @param note text below the table; may be empty
    /// @param isFolded whether the page shows the table only after a click
    public record Table(String caption, List<Column> columns, List<Row> rows, String note, boolean isFolded)
            implements Block {
        public Table {
            columns = List.copyOf(columns);
            rows = List.copyOf(rows);
            for (Row row : rows) {
                if (row.kind() != Row.Kind.GROUP && row.cells().size() != columns.size()) {
                    throw new IllegalArgumentException("table \"" + caption + "\" has " + columns.size()
                            + " columns, but the row \""
                            + row.cells().getFirst().text() + "\" has "
                            + row.cells().size());
                }
            }
        }

        public Table(String caption, List<Column> columns, List<Row> rows, String note) {
            this(caption, columns, rows, note, false);
        }
    }

    /// @param isNumber whether its cells are aligned to the right
    public record Column(String name, boolean isNumber) {
        public static Column text(String name) {
            return new Column(name, false);
        }

        public static Column number(String name) {
            return new Column(name, true);
        }
    }

    /// @param cells one for each column; for a group, a single cell
    public record Row(Kind kind, List<Cell> cells) {
        public Row {
            cells = List.copyOf(cells);
        }

        public static Row of(Cell... cells) {
            return new Row(Kind.PLAIN, List.of(cells));
        }

        public static Row total(List<Cell> cells) {
            return new Row(Kind.TOTAL, cells);
        }

        public static Row group(Cell name) {
            return new Row(Kind.GROUP, List.of(name));
        }

        /// The role of a row in its table.
        public enum Kind {
            PLAIN,
            /// Summarises the rows above.
            TOTAL,
            /// Is the heading of the rows below.
            GROUP
        }
    }

    /// @param text the value
    /// @param detail shown in a smaller size next to or below the text; may be empty
    public record Cell(String text, String detail, Tone tone) {
        public Cell(String text) {
            this(text, "", Tone.PLAIN);
        }

        public Cell(String text, String detail) {
            this(text, detail, Tone.PLAIN);
        }
    }

    /// The style of a cell.
    public enum Tone {
        PLAIN,
        /// An interval above zero.
        GOOD,
        /// An interval below zero.
        BAD,
        /// Text written by a model: shown verbatim, in a wide column.
        QUOTE
    }
}
