/// Evaluates cache strategies: tasks with known answers, scores, reports.
module io.shadowkv.eval {
    requires static org.jspecify;
    requires transitive io.shadowkv.core;
    requires io.shadowkv.report;
    requires tools.jackson.databind;

    exports io.shadowkv.eval;
    exports io.shadowkv.eval.catalog;
    exports io.shadowkv.eval.infinitebench;
    exports io.shadowkv.eval.longbench;
    exports io.shadowkv.eval.metric;
    exports io.shadowkv.eval.needle;
    exports io.shadowkv.eval.niah;
    exports io.shadowkv.eval.report;
    exports io.shadowkv.eval.rows;
    exports io.shadowkv.eval.ruler;
    exports io.shadowkv.eval.ruler.text;
    exports io.shadowkv.eval.run;
    exports io.shadowkv.eval.scbench;
    exports io.shadowkv.eval.statistics;
    exports io.shadowkv.eval.text;
    exports io.shadowkv.eval.worker;

    uses io.shadowkv.eval.Suite;
}
