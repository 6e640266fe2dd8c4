package io.shadowkv.report.page;

import io.shadowkv.report.plot.Drawing;
import io.shadowkv.report.plot.Figure;
import java.util.List;
import java.util.Map;

/// A report before it is HTML or Markdown.
///
/// @param lead a sentence under the title
/// @param cards the numbers to see first
/// @param notes what a reader must know before believing a number
public record Page(String title, String lead, List<Card> cards, List<String> notes, List<Section> sections) {
    public Page {
        cards = List.copyOf(cards);
        notes = List.copyOf(notes);
        sections = List.copyOf(sections);
    }

    /// All figures, in order.
    public List<Picture> pictures() {
        return sections.stream()
                .flatMap(section -> section.blocks().stream())
                .filter(Picture.class::isInstance)
                .map(Picture.class::cast)
                .toList();
    }

    /// All tables, in order.
    List<Table> tables() {
        return sections.stream()
                .flatMap(section -> section.blocks().stream())
                .filter(Table.class::isInstance)
                .map(Table.class::cast)
                .toList();
    }

    /// A number to see first.
    public record Card(String name, String value, String detail) {}

    /// @param id unique in the page
    public record Section(String id, String title, List<Block> blocks) {
        public Section {
            blocks = List.copyOf(blocks);
        }
    }

    /// What sections are made of.
    public sealed interface Block permits Prose, Facts, Table, Picture, Plot, ColourKey {}

    public record Prose(String text) implements Block {}

    /// Names and what they are.
    public record Facts(Map<String, String> facts) implements Block {}

    /// @param figure drawn in the page and in files of its own, named by its id
    /// @param isFolded whether the page shows it only when asked
    public record Picture(Figure figure, String caption, boolean isFolded) implements Block {
        public Picture(Figure figure, String caption) {
            this(figure, caption, false);
        }
    }

    /// A drawing that is only in the page, without a file.
    ///
    /// @param caption may be empty
    public record Plot(Drawing drawing, String caption) implements Block {}

    /// The meanings of the colours in the plots that follow.
    public record ColourKey(List<Meaning> meanings) implements Block {
        public ColourKey {
            meanings = List.copyOf(meanings);
        }

        /// @param colour name of one of [io.shadowkv.report.plot.PlotStyle]'s colours
        public record Meaning(String colour, String text) {}
    }

    /// @param note written below; may be empty
    /// @param isFolded whether the page shows it only when asked
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

    /// @param isNumber whether its cells are set to the right
    public record Column(String name, boolean isNumber) {
        public static Column text(String name) {
            return new Column(name, false);
        }

        public static Column number(String name) {
            return new Column(name, true);
        }
    }

    /// @param cells as many as there are columns; one for a group
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

        /// What a row is to those around it.
        public enum Kind {
            PLAIN,
            /// Sums up the rows above.
            TOTAL,
            /// Names the rows below.
            GROUP
        }
    }

    /// @param text its value
    /// @param detail set smaller below it; may be empty
    public record Cell(String text, String detail, Tone tone) {
        public Cell(String text) {
            this(text, "", Tone.PLAIN);
        }

        public Cell(String text, String detail) {
            this(text, detail, Tone.PLAIN);
        }
    }

    /// How a cell is set.
    public enum Tone {
        PLAIN,
        /// An interval that lies above zero.
        GOOD,
        /// An interval that lies below zero.
        BAD,
        /// Words of a model: read as they are, wide.
        QUOTE
    }
}
