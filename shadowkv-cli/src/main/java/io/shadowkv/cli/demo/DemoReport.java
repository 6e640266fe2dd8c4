package io.shadowkv.cli.demo;

import io.shadowkv.report.plot.PlotStyle;
import io.shadowkv.report.plot.Quantity;
import io.shadowkv.report.plot.Svg;

/// The results as one HTML page that needs nothing else: no scripts, fonts or pictures from anywhere.
final class DemoReport {
    private static final String RULES = """
        *{box-sizing:border-box}body{margin:0;background:var(--page);color:var(--ink);
        font:15px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
        main{max-width:960px;margin:0 auto;padding:36px 20px 56px}
        h1{font-size:27px;line-height:1.25;margin:0 0 6px;letter-spacing:-.01em}
        h2{font-size:18px;margin:0 0 4px;letter-spacing:-.005em}p{margin:0 0 14px}
        .lead,.note,figcaption{color:var(--muted)}
        .lead{font-size:16px;max-width:46em}.note,figcaption{font-size:13.5px;max-width:56em}
        section,.cards>div{background:var(--card);border:1px solid var(--rule);border-radius:10px}
        section{padding:20px 24px 22px;margin-top:18px}
        .cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(200px,1fr));gap:14px;margin-top:22px}
        .cards>div{padding:14px 18px 12px}.cards dt{color:var(--muted);font-size:13.5px}
        .cards dd{margin:0;font-size:26px;font-weight:650;letter-spacing:-.01em;font-variant-numeric:tabular-nums}
        .cards dd small{display:block;font-size:13px;font-weight:400;color:var(--muted);letter-spacing:0}
        .scroll{overflow-x:auto}
        table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums;margin-top:8px}
        caption{text-align:left;color:var(--muted);font-size:13.5px;padding-bottom:4px}
        th,td{text-align:left;padding:7px 12px 7px 0;border-bottom:1px solid var(--rule);vertical-align:top}
        thead th{color:var(--muted);font-weight:500;font-size:13.5px}tbody th{font-weight:500;min-width:12em}
        tbody tr:last-child>*{border-bottom:0}.n{text-align:right;padding-right:20px}
        .right{color:var(--good);font-weight:600}.wrong{color:var(--bad);font-weight:600}
        .answer{white-space:nowrap}.answer span{font-size:13.5px;padding-left:4px}
        figure{margin:14px 0 0}figure svg{margin-bottom:6px}details{margin-top:12px}
        summary{cursor:pointer;color:var(--muted);font-size:13.5px}
        .key{display:flex;flex-wrap:wrap;gap:6px 18px;margin:10px 0 4px;padding:0;
        list-style:none;font-size:13px;color:var(--muted)}
        .key i{display:inline-block;width:12px;height:12px;margin-right:6px;vertical-align:-1px;border-radius:2px}
        @media print{section{break-inside:avoid}}
        """;

    private DemoReport() {}

    static String html(DemoResult result) {
        StringBuilder page = new StringBuilder();
        page.append("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n")
                .append("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n")
                .append("<title>ShadowKV against full attention: ")
                .append(Svg.escape(result.setup().model()))
                .append("</title>\n<style>\n")
                .append(PlotStyle.COLOURS)
                .append(RULES)
                .append(PlotStyle.RULES)
                .append("</style>\n</head>\n<body>\n<main>\n");
        header(page, result);
        answers(page, result);
        page.append(DemoFigures.memory(result));
        page.append(DemoFigures.speed(result));
        page.append(DemoFigures.fetches(result));
        settings(page, result);
        return page.append("</main>\n</body>\n</html>\n").toString();
    }

    private static void header(StringBuilder page, DemoResult result) {
        DemoResult.Outcome full = result.full();
        DemoResult.Outcome shadow = result.shadow();
        int asked = result.questions().size();
        page.append("<h1>The same questions, with full attention and with ShadowKV</h1>\n<p class=\"lead\">")
                .append(Svg.escape(result.setup().model()))
                .append(" read ")
                .append(Quantity.whole(result.setup().textTokens()))
                .append(" tokens twice and answered ")
                .append(asked == 1 ? "a question" : asked + " questions")
                .append(" about what was hidden there, each method in a conversation of its own on the same"
                        + " machine.</p>\n")
                .append("<dl class=\"cards\">\n");
        card(
                page,
                "Answers right",
                shadow.right() + " of " + asked,
                "full attention: " + full.right() + " of " + asked);
        card(
                page,
                "Decode speed",
                Quantity.times(result.speedup()),
                Quantity.threeDigits(full.speed()) + " → " + Quantity.threeDigits(shadow.speed()) + " tokens/s");
        card(
                page,
                "Resident KV, times smaller",
                Quantity.times(result.residentFactor()),
                Quantity.bytes(full.measured().resident()) + " → "
                        + Quantity.bytes(shadow.measured().resident()));
        card(page, "Hit rate", Quantity.share(shadow.hitRate()), "selected chunks that were resident already");
        page.append("</dl>\n");
    }

    private static void card(StringBuilder page, String name, String value, String small) {
        page.append("<div><dt>")
                .append(name)
                .append("</dt><dd>")
                .append(value)
                .append("<small>")
                .append(small)
                .append("</small></dd></div>\n");
    }

    private static void answers(StringBuilder page, DemoResult result) {
        page.append("<section>\n"
                        + "<h2>Answers</h2>\n"
                        + "<div class=\"scroll\"><table>\n"
                        + "<caption>An answer is right if it contains the")
                .append(" hidden number.</caption>\n<thead><tr><th scope=\"col\">Question</th>")
                .append("<th scope=\"col\" class=\"n\">At token</th><th scope=\"col\">Expected</th>")
                .append("<th scope=\"col\">Full attention</th><th scope=\"col\">ShadowKV</th></tr></thead>\n<tbody>\n");
        for (int i = 0; i < result.questions().size(); i++) {
            DemoResult.Question question = result.questions().get(i);
            page.append("<tr><th scope=\"row\">")
                    .append(i + 1)
                    .append(". ")
                    .append(Svg.escape(question.text()))
                    .append("</th><td class=\"n\">")
                    .append(Quantity.whole(question.position()))
                    .append("</td><td>")
                    .append(Svg.escape(question.expected()))
                    .append("</td>");
            answer(page, result.full().answers().get(i));
            answer(page, result.shadow().answers().get(i));
            page.append("</tr>\n");
        }
        page.append("</tbody></table></div>\n</section>\n");
    }

    private static void answer(StringBuilder page, DemoResult.Answer answer) {
        page.append("<td class=\"answer\">")
                .append(Svg.escape(answer.text()))
                .append(
                        answer.isRight()
                                ? " <span class=\"right\">✓ right</span></td>"
                                : " <span class=\"wrong\">✗ wrong</span></td>");
    }

    private static void settings(StringBuilder page, DemoResult result) {
        DemoResult.Setup setup = result.setup();
        page.append("<section>\n<h2>Settings and machine</h2>\n<div class=\"scroll\"><table><tbody>\n");
        row(
                page,
                "Model",
                setup.model() + ", " + Quantity.bytes(setup.weightBytes()) + " of weights; keys and values "
                        + setup.kvType());
        row(
                page,
                "Text",
                "King James Bible from its beginning, needles as RULER's niah_multikey_1 hides them, seed "
                        + setup.seed() + "; at most " + Quantity.whole(setup.tokens()) + " tokens in all");
        row(
                page,
                "ShadowKV",
                "rank " + setup.shadow().rank() + ", chunks of "
                        + setup.shadow().chunkSize() + " tokens, budget "
                        + Quantity.whole(setup.shadow().sparseBudget()) + " tokens, "
                        + setup.shadow().outlierChunks() + " outlier chunks, "
                        + setup.shadow().localTokens() + " local and up to "
                        + setup.shadow().generatedTokens() + " generated tokens");
        row(
                page,
                "Reading the text",
                "full attention " + Quantity.seconds(result.full().prefillSeconds()) + "; ShadowKV "
                        + Quantity.seconds(result.shadow().prefillSeconds()) + ", of which "
                        + Quantity.seconds(result.shadow().sealSeconds())
                        + " to factorise keys and offload values");
        row(page, "Backend", setup.backend() + ": " + setup.backendReason());
        row(
                page,
                "Machine",
                result.machine().processor() + ", " + result.machine().cores() + " cores, "
                        + result.machine().system());
        row(page, "Java", result.machine().java());
        row(page, "Commit", result.machine().commitText());
        row(page, "Whole demonstration", Quantity.seconds(result.wallSeconds()));
        page.append("</tbody></table></div>\n</section>\n");
    }

    private static void row(StringBuilder page, String name, String value) {
        page.append("<tr><th scope=\"row\">")
                .append(name)
                .append("</th><td>")
                .append(Svg.escape(value))
                .append("</td></tr>\n");
    }
}
