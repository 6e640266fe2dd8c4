package io.shadowkv.report.page;

/// The style sheet of the report's page. The plots have their own:
/// [io.shadowkv.report.plot.PlotStyle].
final class ReportStyle {
    static final String RULES = """
        *{box-sizing:border-box}html{scroll-behavior:smooth}
        body{margin:0;background:var(--page);color:var(--ink);
        font:14.5px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
        main{max-width:1080px;margin:0 auto;padding:32px 20px 56px}
        h1{font-size:25px;line-height:1.25;margin:0 0 4px;letter-spacing:-.01em}
        h2{font-size:18px;margin:0 0 6px;letter-spacing:-.005em}p{margin:0 0 12px}
        a{color:var(--shadow);text-underline-offset:2px}
        .lead,.note,figcaption{color:var(--muted)}.lead{max-width:60em;overflow-wrap:anywhere}
        .note,figcaption{font-size:13px;max-width:66em}
        section,.cards>div{background:var(--card);border:1px solid var(--rule);border-radius:8px}
        section{padding:18px 22px 16px;margin-top:16px}
        .cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(210px,1fr));gap:12px;margin:18px 0 0}
        .cards>div{padding:12px 16px 10px}.cards dt{color:var(--muted);font-size:13px}
        .cards dd{margin:0;font-size:24px;font-weight:650;letter-spacing:-.01em;font-variant-numeric:tabular-nums}
        .cards dd small{display:block;font-size:12.5px;font-weight:400;color:var(--muted);letter-spacing:0}
        .notes{margin:16px 0 0;padding:10px 16px 10px 32px;border-left:3px solid var(--mark);background:var(--card);
        font-size:13px;border-radius:0 8px 8px 0}
        nav ul{display:flex;flex-wrap:wrap;gap:4px 16px;list-style:none;padding:0;margin:14px 0 0;font-size:13.5px}
        .scroll{overflow-x:auto;margin-bottom:14px}.scroll:focus-visible{outline:2px solid var(--shadow)}
        table{border-collapse:separate;border-spacing:0;width:100%;font-variant-numeric:tabular-nums;font-size:13.5px}
        caption{text-align:left;color:var(--muted);font-size:13px;padding:4px 0}
        caption span{display:inline-block;position:sticky;left:0;max-width:calc(100vw - 48px)}
        th,td{text-align:left;padding:5px 14px 5px 0;border-bottom:1px solid var(--rule);vertical-align:top}
        td small,th small{display:block;color:var(--muted);font-size:11.5px;font-weight:400;line-height:1.3;
        white-space:nowrap}
        thead th{color:var(--muted);font-weight:500;font-size:12.5px;vertical-align:bottom;line-height:1.3}
        tbody th{font-weight:500;position:sticky;left:0;background:var(--card);
        white-space:nowrap}.group th{position:static}tbody tr:last-child>*{border-bottom:0}
        .n{text-align:right;padding-right:16px}td.n{white-space:nowrap}
        tr>:last-child{padding-right:0}
        .total>*{border-top:1.5px solid var(--muted)}tr.total>*{font-weight:600}
        .flat small{display:inline-block;margin-left:7px}.flat td.n small{min-width:6.6em;text-align:right}
        .group>*{padding-top:12px;border-bottom-color:var(--muted)}.group th{font-weight:600}
        .group small{display:inline-block;margin-left:9px;font-size:12.5px}
        .good{color:var(--good);font-weight:600}.bad{color:var(--bad);font-weight:600}
        .quote{font-size:12.5px;overflow-wrap:anywhere;min-width:11em}
        figure{margin:10px 0 18px;max-width:820px}figure svg{margin-bottom:4px}
        details{margin:0 0 10px}summary{cursor:pointer;color:var(--muted);font-size:13.5px}
        details caption{display:none}
        .facts{margin:4px 0 14px;font-size:13.5px}
        .facts>div{display:grid;grid-template-columns:minmax(9em,13em) 1fr;gap:0 16px;padding:4px 0;
        border-bottom:1px solid var(--rule)}
        .facts>div:last-child{border-bottom:0}.facts dt{color:var(--muted)}.facts dd{margin:0;overflow-wrap:anywhere}
        @media (max-width:560px){main{padding:20px 10px 40px}section{padding:14px 12px 10px}
        .facts>div{grid-template-columns:1fr}h1{font-size:21px}figure{overflow-x:auto}thead th{white-space:nowrap}figure svg{min-width:700px}}
        @media print{:root{--page:#fff;--rule:#ccd}body{font-size:10.5px}main{max-width:none;padding:0}
        section{border:0;padding:6px 0}figure,tr,.cards{break-inside:avoid}nav{display:none}.scroll{overflow:visible}
        h2,caption{break-after:avoid}details::details-content{content-visibility:visible;height:auto}}
        """;

    private ReportStyle() {}
}
