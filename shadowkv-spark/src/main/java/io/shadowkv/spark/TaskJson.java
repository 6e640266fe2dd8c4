package io.shadowkv.spark;

import io.shadowkv.eval.Item;
import io.shadowkv.eval.run.AnswerRecord;
import io.shadowkv.eval.run.OpenItem;
import java.util.List;
import tools.jackson.core.type.TypeReference;
import tools.jackson.databind.MapperFeature;
import tools.jackson.databind.json.JsonMapper;

/// Converts the data exchanged between driver and executors to JSON, because the records of samples
/// and answers are not serializable.
final class TaskJson {
    // Annotations are off: Jackson 3 needs a newer version of them than Spark has.
    private static final JsonMapper MAPPER =
            JsonMapper.builder().disable(MapperFeature.USE_ANNOTATIONS).build();

    private TaskJson() {}

    static String ofItems(List<OpenItem> items) {
        return MAPPER.writeValueAsString(items);
    }

    static List<OpenItem> items(String json) {
        return MAPPER.readValue(json, new TypeReference<>() {});
    }

    /// The result of a task.
    ///
    /// @param leftOut samples that cannot be asked
    record Result(List<AnswerRecord> answers, List<LeftOut> leftOut) {}

    /// A sample that cannot be asked, with the reason.
    record LeftOut(Item item, String reason) {}

    static String ofResult(Result result) {
        return MAPPER.writeValueAsString(result);
    }

    static Result result(String json) {
        return MAPPER.readValue(json, Result.class);
    }
}
