package io.shadowkv.eval.ruler.text;

import io.shadowkv.eval.Metric;
import io.shadowkv.eval.metric.PaperMetrics;
import io.shadowkv.eval.metric.RulerMetrics;
import io.shadowkv.eval.needle.NeedleTask;
import java.util.ArrayList;
import java.util.List;

/// One of RULER's tasks, independent of its version (NVIDIA/RULER, `scripts/synthetic.yaml` and
/// `scripts/data/synthetic/constants.py`).
///
/// @param name RULER's name, such as `niah_multikey_1`
/// @param family the generator that makes it
/// @param newTokens maximum length of an answer
public record RulerKind(String name, Family family, int newTokens) {
    /// The 13 tasks, in RULER's order.
    public static final List<RulerKind> ALL = all();

    /// Tasks that share a generator.
    public enum Family {
        NIAH,
        VT,
        CWE,
        FWE,
        QA
    }

    /// Returns the task with the given name.
    ///
    /// @throws IllegalArgumentException if there is none
    public static RulerKind named(String name) {
        return ALL.stream()
                .filter(kind -> kind.name().equals(name))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("RULER has no task \"" + name + "\"; there are "
                        + String.join(", ", ALL.stream().map(RulerKind::name).toList())));
    }

    /// The metrics: the official one, then the paper's.
    public List<Metric> metrics() {
        Metric official = family == Family.QA ? RulerMetrics.STRING_MATCH_PART : RulerMetrics.STRING_MATCH_ALL;
        return List.of(official, PaperMetrics.of(name));
    }

    private static List<RulerKind> all() {
        List<RulerKind> kinds = new ArrayList<>();
        NeedleTask.ALL.forEach(task -> kinds.add(new RulerKind(task.name(), Family.NIAH, 128)));
        kinds.add(new RulerKind("vt", Family.VT, 30));
        kinds.add(new RulerKind("cwe", Family.CWE, 120));
        kinds.add(new RulerKind("fwe", Family.FWE, 50));
        kinds.add(new RulerKind("qa_1", Family.QA, 32));
        kinds.add(new RulerKind("qa_2", Family.QA, 32));
        return List.copyOf(kinds);
    }
}
