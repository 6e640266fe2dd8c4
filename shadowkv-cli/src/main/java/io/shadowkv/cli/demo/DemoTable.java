package io.shadowkv.cli.demo;

import io.shadowkv.report.plot.Quantity;
import java.io.PrintWriter;

/// The results as two tables for the terminal: answers, then statistics, with the methods in
/// columns.
final class DemoTable {
    private static final String ANSWERS = "%-3s %-28s %-10s %-20s %-20s%n";
    private static final String FIGURES = "%-30s %18s %18s   %s%n";

    private DemoTable() {}

    static void print(DemoResult result, PrintWriter out) {
        answers(result, out);
        out.println();
        figures(result, out);
    }

    private static void answers(DemoResult result, PrintWriter out) {
        out.printf(ANSWERS, "", "magic number for", "hidden", "full attention", "ShadowKV");
        for (int i = 0; i < result.questions().size(); i++) {
            DemoResult.Question question = result.questions().get(i);
            out.printf(
                    ANSWERS,
                    i + 1,
                    shortened(question.key(), 28),
                    question.expected(),
                    verdict(result.full().answers().get(i)),
                    verdict(result.shadow().answers().get(i)));
        }
    }

    private static String verdict(DemoResult.Answer answer) {
        return shortened(answer.text(), 12) + (answer.isRight() ? " correct" : " WRONG");
    }

    private static void figures(DemoResult result, PrintWriter out) {
        DemoResult.Outcome full = result.full();
        DemoResult.Outcome shadow = result.shadow();
        int asked = result.questions().size();
        out.printf(FIGURES, "", "full attention", "ShadowKV", "");
        row(out, "correct answers", full.right() + " of " + asked, shadow.right() + " of " + asked, "");
        String sealing = Quantity.seconds(shadow.sealSeconds()) + " of it to compress the keys and offload the values";
        String fullReading = Quantity.seconds(full.prefillSeconds());
        row(out, "reading the text (prefill)", fullReading, Quantity.seconds(shadow.prefillSeconds()), sealing);
        speeds(result, out);
        String smaller = Quantity.times(result.residentFactor()) + " smaller";
        bytes(
                out,
                "KV resident, measured",
                full.measured().resident(),
                shadow.measured().resident(),
                smaller);
        bytes(
                out,
                "KV resident, planned",
                full.planned().resident(),
                shadow.planned().resident(),
                "");
        bytes(
                out,
                "KV offloaded, measured",
                full.measured().offloaded(),
                shadow.measured().offloaded(),
                "");
        bytes(
                out,
                "KV offloaded, planned",
                full.planned().offloaded(),
                shadow.planned().offloaded(),
                "");
        String meaning = shadow.keptWhole()
                ? "the text fits the resident set and was kept whole"
                : "of the selected " + DemoFigures.units(result) + " were resident";
        row(out, "hit rate", "–", Quantity.share(shadow.hitRate()), meaning);
    }

    /// Prints the speed at the length of the demo first, then the speeds of the sweep.
    private static void speeds(DemoResult result, PrintWriter out) {
        speed(
                out,
                "decode speed, tokens/s",
                result.full().speed(),
                result.shadow().speed());
        for (DemoResult.Speed speed : result.speeds()) {
            if (speed.tokens() != result.setup().textTokens()) {
                speed(out, "  after " + Quantity.whole(speed.tokens()) + " tokens", speed.full(), speed.shadow());
            }
        }
    }

    private static void speed(PrintWriter out, String what, double full, double shadow) {
        row(out, what, Quantity.threeDigits(full), Quantity.threeDigits(shadow), Quantity.times(shadow / full));
    }

    private static void bytes(PrintWriter out, String what, long full, long shadow, String note) {
        row(out, what, Quantity.bytes(full), Quantity.bytes(shadow), note);
    }

    private static void row(PrintWriter out, String what, String full, String shadow, String note) {
        out.printf(FIGURES, what, full, shadow, note);
    }

    private static String shortened(String text, int length) {
        String line = text.replaceAll("\\s+", " ");
        return line.length() <= length ? line : line.substring(0, length - 1) + "…";
    }
}
