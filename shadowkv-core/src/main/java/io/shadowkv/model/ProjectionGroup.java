package io.shadowkv.model;

import io.shadowkv.tensor.Tensor;
import io.shadowkv.tensor.Weight;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Linear projections of the same input. A backend may read them as one matrix if they are adjacent
/// in memory.
///
/// @param weights `[out, in]` each
/// @param biases `[out]` each, or null
record ProjectionGroup(List<? extends Weight> weights, List<@Nullable Tensor> biases) {
    static ProjectionGroup of(List<Projection> projections) {
        List<@Nullable Tensor> biases = new ArrayList<>();
        projections.forEach(projection -> biases.add(projection.bias()));
        return new ProjectionGroup(
                projections.stream().map(Projection::weight).toList(), Collections.unmodifiableList(biases));
    }

    /// Some of the projections.
    ProjectionGroup part(int from, int to) {
        return new ProjectionGroup(weights.subList(from, to), biases.subList(from, to));
    }
}
