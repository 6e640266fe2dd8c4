/// Pages, tables and plots: what every HTML, SVG, PNG and Markdown output of the project is made of.
module io.shadowkv.report {
    requires static org.jspecify;
    // For bitmaps only; a runtime without it writes SVG.
    requires static java.desktop;

    exports io.shadowkv.report.page;
    exports io.shadowkv.report.plot;
}
