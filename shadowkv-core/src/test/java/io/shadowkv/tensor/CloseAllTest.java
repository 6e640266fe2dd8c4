package io.shadowkv.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/// One thing that cannot be closed leaves none of the others open.
class CloseAllTest {
    private final List<String> closed = new ArrayList<>();

    private void close(String name) {
        closed.add(name);
        if (name.startsWith("bad")) {
            throw new IllegalStateException(name);
        }
        if (name.startsWith("worse")) {
            throw new AssertionError(name);
        }
    }

    @Test
    void everythingIsClosedAndTheFirstFailureThrown() {
        assertThatThrownBy(() -> CloseAll.of(List.of("a", "bad 1", "b", "worse 2", "c"), this::close))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("bad 1")
                .satisfies(e -> assertThat(e.getSuppressed())
                        .singleElement()
                        .satisfies(other -> assertThat(other)
                                .isInstanceOf(AssertionError.class)
                                .hasMessage("worse 2")));
        assertThat(closed).containsExactly("a", "bad 1", "b", "worse 2", "c");
    }

    @Test
    void anEarlierFailureStays() {
        RuntimeException failure = new RuntimeException("first");
        CloseAll.after(failure, List.of("bad", "a"), this::close);
        assertThat(failure.getSuppressed())
                .singleElement()
                .satisfies(e -> assertThat(e).hasMessage("bad"));
        assertThat(closed).containsExactly("bad", "a");
    }
}
