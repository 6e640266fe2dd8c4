package io.shadowkv.engine.batch;

import static org.assertj.core.api.Assertions.assertThat;

import io.shadowkv.engine.MemoryPlan.SequenceBytes;
import io.shadowkv.engine.PlannedSequence;
import java.util.List;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

/// What a plan counts for turns that are read together.
class TurnPlanTest {
    private static final SequenceBytes FORK = new SequenceBytes(100, 20, List.of());

    /// The workspace of a prompt has the attention of one turn.
    @Test
    void theAttentionOfAllTurnsIsPlanned() {
        PlannedSequence planned = Planner.turns(FORK, 500, 30, LongStream.of(7, 9, 8));
        assertThat(planned.size().capacityTokens()).isEqualTo(500);
        assertThat(planned.bytes().resident()).isEqualTo(100 + 7 + 8);
        assertThat(planned.bytes().offloaded()).isEqualTo(20);
        assertThat(planned.bytes().parts())
                .singleElement()
                .satisfies(part -> assertThat(part.bytes()).isEqualTo(7 + 8));
    }

    @Test
    void exactAttentionNeedsNothing() {
        PlannedSequence planned = Planner.turns(FORK, 500, 700, LongStream.of(0, 0));
        assertThat(planned.size().capacityTokens()).isEqualTo(700);
        assertThat(planned.bytes()).isEqualTo(FORK);
    }
}
