package io.shadowkv.cli.demo;

import io.shadowkv.eval.AccuracyTable;
import io.shadowkv.eval.plot.Quantity;
import java.io.PrintWriter;

/// Right answers by task and method, for the terminal.
final class NeedleTable {
    private static final String ROW = "%-18s %-10s %9s %14s %16s %18s%n";

    private NeedleTable() {}

    static void print(AccuracyTable table, PrintWriter out) {
        out.printf(ROW, "task", "method", "score", "wholly right", "mean prefill", "decode, tokens/s");
        for (AccuracyTable.Cell cell : table.cells()) {
            out.printf(
                    ROW,
                    cell.task(),
                    cell.method(),
                    Quantity.share(cell.score()),
                    cell.whole() + " of " + cell.answers(),
                    Quantity.seconds(cell.prefillSeconds()),
                    Quantity.threeDigits(cell.decodeTokensPerSecond()));
        }
        out.flush();
    }
}
