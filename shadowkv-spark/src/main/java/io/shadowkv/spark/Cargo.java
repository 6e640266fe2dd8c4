package io.shadowkv.spark;

import io.shadowkv.eval.AnswerRecord;
import io.shadowkv.eval.OpenItem;
import java.util.List;
import tools.jackson.core.type.TypeReference;
import tools.jackson.databind.MapperFeature;
import tools.jackson.databind.json.JsonMapper;

/// What travels between driver and executors: JSON, since records of samples and answers know nothing of Java's own
/// serialization.
final class Cargo {
    // Without annotations: Jackson 3 would look for newer ones than Spark's.
    private static final JsonMapper MAPPER =
            JsonMapper.builder().disable(MapperFeature.USE_ANNOTATIONS).build();

    private Cargo() {}

    static String ofItems(List<OpenItem> items) {
        return MAPPER.writeValueAsString(items);
    }

    static List<OpenItem> items(String json) {
        return MAPPER.readValue(json, new TypeReference<>() {});
    }

    static String ofAnswers(List<AnswerRecord> answers) {
        return MAPPER.writeValueAsString(answers);
    }

    static List<AnswerRecord> answers(String json) {
        return MAPPER.readValue(json, new TypeReference<>() {});
    }
}
