package io.shadowkv.cli.demo;

import io.shadowkv.eval.plot.Quantity;
import java.io.PrintWriter;

/// The results as two tables for the terminal: answers, then figures, the methods side by side.
final class DemoTable {
    private static final String ANSWERS = "%-3s %-28s %-10s %-18s %-18s%n";
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
        return shortened(answer.text(), 12) + (answer.isRight() ? " right" : " WRONG");
    }

    private static void figures(DemoResult result, PrintWriter out) {
        DemoResult.Outcome full = result.full();
        DemoResult.Outcome shadow = result.shadow();
        int asked = result.questions().size();
        out.printf(FIGURES, "", "full attention", "ShadowKV", "");
        row(out, "answers right", full.right() + " of " + asked, shadow.right() + " of " + asked, "");
        row(
                out,
                "reading the text (prefill)",
                Quantity.seconds(full.prefillSeconds()),
                Quantity.seconds(shadow.prefillSeconds()),
                Quantity.seconds(shadow.sealSeconds()) + " of it to compress the keys and offload the values");
        row(
                out,
                "decode speed, tokens/s",
                Quantity.threeDigits(full.speed()),
                Quantity.threeDigits(shadow.speed()),
                Quantity.times(result.speedup()));
        row(
                out,
                "KV resident, measured",
                Quantity.bytes(full.measured().resident()),
                Quantity.bytes(shadow.measured().resident()),
                Quantity.times(result.residentFactor()) + " smaller");
        row(
                out,
                "KV resident, planned",
                Quantity.bytes(full.planned().resident()),
                Quantity.bytes(shadow.planned().resident()),
                "");
        row(
                out,
                "KV offloaded, measured",
                Quantity.bytes(full.measured().offloaded()),
                Quantity.bytes(shadow.measured().offloaded()),
                "");
        row(
                out,
                "KV offloaded, planned",
                Quantity.bytes(full.planned().offloaded()),
                Quantity.bytes(shadow.planned().offloaded()),
                "");
        row(
                out,
                "hit rate",
                "–",
                Quantity.share(shadow.hitRate()),
                shadow.keptWhole()
                        ? "the text fits the budget, so all of it was kept"
                        : "selected chunks that were there already");
    }

    private static void row(PrintWriter out, String what, String full, String shadow, String note) {
        out.printf(FIGURES, what, full, shadow, note);
    }

    private static String shortened(String text, int length) {
        String line = text.replaceAll("\\s+", " ");
        return line.length() <= length ? line : line.substring(0, length - 1) + "…";
    }
}
