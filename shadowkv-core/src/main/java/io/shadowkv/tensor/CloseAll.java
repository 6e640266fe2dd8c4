package io.shadowkv.tensor;

import java.util.List;
import java.util.function.Consumer;

/// Closes several things, also if closing one of them fails.
public final class CloseAll {
    private CloseAll() {}

    /// Closes all in their order.
    ///
    /// @throws RuntimeException or Error the first failure, with the others suppressed
    public static <T> void of(List<? extends T> opened, Consumer<T> close) {
        closeFrom(0, opened, close);
    }

    private static <T> void closeFrom(int index, List<? extends T> opened, Consumer<T> close) {
        if (index == opened.size()) {
            return;
        }
        // The rest is closed after this one, whatever it throws.
        try (Rest _ = () -> closeFrom(index + 1, opened, close)) {
            close.accept(opened.get(index));
        }
    }

    /// Closes all because of a failure. What closing throws is suppressed by it.
    public static <T> void after(Throwable failure, List<? extends T> opened, Consumer<T> close) {
        try {
            of(opened, close);
        } catch (RuntimeException | Error e) {
            failure.addSuppressed(e);
        }
    }

    private interface Rest extends AutoCloseable {
        @Override
        void close();
    }
}
