package io.shadowkv.eval;

import tools.jackson.databind.MapperFeature;
import tools.jackson.databind.PropertyNamingStrategies;
import tools.jackson.databind.json.JsonMapper;

/// The JSON form of this project's records: in logs, in run files and in messages between
/// processes.
public final class Json {
    /// Property names are in snake case. A missing object is null in the record.
    // Annotations are off: the records have none. To look for them, Jackson 3 needs a newer
    // jackson-annotations than the one that Spark 4.2 puts first on the class path of a cluster's
    // driver and executors.
    public static final JsonMapper SNAKE_CASE = JsonMapper.builder()
            .propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE)
            .disable(MapperFeature.USE_ANNOTATIONS)
            .build();

    private Json() {}
}
