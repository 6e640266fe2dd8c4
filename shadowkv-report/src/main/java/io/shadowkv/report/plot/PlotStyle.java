package io.shadowkv.report.plot;

import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// The style sheet of the plots, and the colours that a page may share with them: light ones, and
/// dark ones if the reader prefers a dark scheme.
public final class PlotStyle {
    /// Colours by name, for both schemes.
    public static final String COLOURS = """
        :root{color-scheme:light dark;--page:#f6f7f9;--card:#fff;--ink:#1a1f26;--muted:#5b6675;--rule:#e2e6eb;
        --full:#6b7686;--shadow:#0b63c5;--good:#12724a;--bad:#b3261e;--field:#f3f5f8;--mark:#c2410c;
        --p0:#0b63c5;--p1:#e08a00;--p2:#12937a;--p3:#b5479b;--p4:#7458d0;--p5:#8a5a2b;--p6:#6b7686;--p7:#b9a800;
        --l1:#dbe7f5;--l2:#8fbdf0;--l3:#3a86dd;--l4:#0a3f86;
        --h0:#8f3b08;--h1:#c8641c;--h2:#ee9c58;--h3:#f9d2ab;--h4:#c9dff2;--h5:#86b8e4;--h6:#3f83c4;
        --onlight:#1a1f26;--ondark:#ffffff}
        @media (prefers-color-scheme:dark){:root{--page:#111418;--card:#1a1e24;--ink:#e8ebef;--muted:#9aa6b4;
        --rule:#2c323b;--full:#9aa6b4;--shadow:#62aef7;--good:#5bd197;--bad:#ff8a80;--field:#14181d;--mark:#ffab70;
        --p0:#4c9df0;--p1:#f0a63c;--p2:#3fc3a6;--p3:#dc7cc4;--p4:#a48df0;--p5:#c79563;--p6:#9aa6b4;--p7:#d8ca3c;
        --l1:#22303f;--l2:#2c5f96;--l3:#4c9df0;--l4:#c4e0ff}}
        """;

    /// Rules for `svg.plot`.
    public static final String RULES = """
        svg.plot{display:block;width:100%;height:auto;font:12px/1 system-ui,sans-serif}
        .plot text{fill:var(--ink)}.plot .tick,.plot .axis{fill:var(--muted)}.plot .tick{font-size:11px}
        .plot .value{font-weight:600}.plot .grid{stroke:var(--rule)}.plot .base{stroke:var(--muted)}
        .plot .hatch{fill:var(--card);opacity:.55}.plot .line{fill:none;stroke-width:2.5;stroke-linejoin:round}
        .plot .dot{stroke:var(--card);stroke-width:1.5}.plot .hit{fill:transparent}
        .plot .line.full{stroke:var(--full)}.plot .dot.full,.plot text.full{fill:var(--full)}
        .plot .line.shadow{stroke:var(--shadow)}.plot .dot.shadow,.plot text.shadow{fill:var(--shadow)}
        .plot text.full,.plot text.shadow{font-weight:600}
        .plot .field{fill:var(--field)}.plot .cells{fill:none;stroke-width:1;shape-rendering:crispEdges}
        .plot .divider{stroke:var(--muted);stroke-dasharray:2 2;opacity:.7}.plot .mark{fill:var(--mark)}
        .plot .p0{fill:var(--p0)}.plot .p1{fill:var(--p1)}.plot .p2{fill:var(--p2)}.plot .p3{fill:var(--p3)}
        .plot .p4{fill:var(--p4)}.plot .p5{fill:var(--p5)}.plot .p6{fill:var(--p6)}.plot .p7{fill:var(--p7)}
        .plot .level1{stroke:var(--l1)}.plot .level2{stroke:var(--l2)}.plot .level3{stroke:var(--l3)}
        .plot .level4{stroke:var(--l4)}
        """;

    private static final Pattern COLOUR = Pattern.compile("--(\\w+):(#[0-9a-f]{3,6})");

    private PlotStyle() {}

    /// The colours of the light scheme by name, each `#rrggbb`.
    public static Map<String, String> lightColours() {
        String light = COLOURS.substring(0, COLOURS.indexOf("@media"));
        Map<String, String> colours = new TreeMap<>();
        Matcher matcher = COLOUR.matcher(light.toLowerCase(Locale.ROOT));
        while (matcher.find()) {
            String hex = matcher.group(2);
            colours.put(matcher.group(1), hex.length() == 4 ? hex.replaceAll("([0-9a-f])", "$1$1") : hex);
        }
        return colours;
    }
}
