package io.shadowkv.eval.run;

import io.shadowkv.cache.prefill.LayerDensity;
import io.shadowkv.engine.Completion;
import io.shadowkv.engine.study.ComparedAnswers;
import io.shadowkv.engine.study.Divergence;
import io.shadowkv.eval.Item;
import io.shadowkv.eval.Method;
import io.shadowkv.eval.Metric;
import io.shadowkv.eval.Sample;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Makes records of the answers to a sample.
public record AskedSample(EvalPlan plan, Item item, Sample sample, SampleDialogue dialogue) {
    /// Returns records by turn, then by method.
    ///
    /// @param answers of each method
    List<AnswerRecord> records(List<Method> methods, List<ComparedAnswers> answers) {
        String hash = dialogue.promptHash();
        List<Sample.Turn> asked = SampleDialogue.asked(sample);
        List<AnswerRecord> records = new ArrayList<>();
        for (int turn = 0; turn < asked.size(); turn++) {
            for (int method = 0; method < methods.size(); method++) {
                ComparedAnswers of = answers.get(method);
                Divergence divergence = turn == 0 ? of.divergence() : null;
                records.add(record(
                        plan.key(item, methods.get(method)).atTurn(turn),
                        asked.get(turn),
                        of.turns().get(turn),
                        hash,
                        of.together(),
                        divergence));
            }
        }
        return records;
    }

    private AnswerRecord record(
            AnswerRecord.Key key,
            Sample.Turn turn,
            Completion completion,
            String hash,
            int batch,
            @Nullable Divergence divergence) {
        Map<String, Double> scores = new LinkedHashMap<>();
        for (Metric metric : turn.metrics()) {
            scores.put(metric.name(), metric.score(completion.text(), turn.references()));
        }
        Completion.Timings timings = completion.timings();
        Completion.CacheReport cache = completion.cache();
        double hitRate = cache.hitRate();
        return new AnswerRecord(
                key,
                completion.text(),
                Arrays.stream(completion.ids()).boxed().toList(),
                turn.references(),
                scores,
                sample.labels(),
                hash,
                completion.promptTokens(),
                timings.prefillNanos() / 1e9,
                timings.indexingWaitNanos() / 1e9,
                timings.decodeNanos() / 1e9,
                timings.decodeSteps(),
                batch,
                Double.isNaN(hitRate) ? null : hitRate,
                cache.measured().resident(),
                cache.measured().offloaded(),
                completion.finish().name().toLowerCase(Locale.ROOT),
                divergence == null || divergence.positions() == 0
                        ? null
                        : new AnswerRecord.Divergence(
                                divergence.positions(),
                                divergence.meanKl(),
                                divergence.maxKl(),
                                divergence.topOneAgreement()),
                completion.densities().isEmpty() ? null : completion.prefillDensity(),
                completion.densities().isEmpty() ? null : layers(completion.densities()));
    }

    private static List<AnswerRecord.LayerReading> layers(List<LayerDensity> densities) {
        return densities.stream()
                .map(layer -> new AnswerRecord.LayerReading(
                        rounded(layer.share()),
                        layer.keptMass().isEmpty()
                                ? null
                                : rounded(layer.keptMass().getAsDouble())))
                .toList();
    }

    /// So that a line of the log stays short.
    private static double rounded(double share) {
        return Math.round(share * 1e5) / 1e5;
    }
}
