package io.shadowkv.eval.run;

import io.shadowkv.eval.Method;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Makes answer records for tests.
public final class Records {
    private Records() {}

    /// An answer of full attention at 1,000 tokens with the hash `h` and the right answer `r`.
    ///
    /// @param scores name, value, name, value …
    public static AnswerRecord of(String task, int index, int turn, Map<String, String> labels, Object... scores) {
        Map<String, Double> byName = new LinkedHashMap<>();
        for (int i = 0; i < scores.length; i += 2) {
            byName.put((String) scores[i], (Double) scores[i + 1]);
        }
        return of(task, index, turn, labels, byName, "h");
    }

    public static AnswerRecord of(
            String task, int index, int turn, Map<String, String> labels, Map<String, Double> scores, String hash) {
        return new AnswerRecord(
                new AnswerRecord.Key("m", "cpu", "f32", task, 1000, 42, index, turn, Method.FULL),
                "answer",
                List.of(1, 2),
                List.of("r"),
                scores,
                labels,
                hash,
                100,
                2,
                1,
                4,
                8,
                1,
                null,
                1000,
                0,
                "end_of_sequence",
                null,
                null,
                null);
    }
}
