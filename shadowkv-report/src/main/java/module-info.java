/// Pages, tables and plots: the parts of every HTML, SVG, PNG and Markdown output of the project.
module io.shadowkv.report {
    requires static org.jspecify;
    // Only for bitmaps; without this module reports contain SVG only.
    requires static java.desktop;

    exports io.shadowkv.report.page;
    exports io.shadowkv.report.plot;
}
