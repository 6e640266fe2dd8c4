package io.shadowkv.server.answer;

import io.shadowkv.server.error.ApiException;
import io.shadowkv.server.error.Failures;
import io.shadowkv.server.http.ClientGoneException;
import io.shadowkv.server.http.Exchange;
import java.util.Optional;
import java.util.function.Consumer;

/// Sends an answer so that a failure after its head still reaches the client and the log.
///
/// @param failures turns failures into errors and logs them
public record Sending(Exchange exchange, Failures failures) {
    /// Sends an answer.
    @FunctionalInterface
    public interface Work<T> {
        /// @throws InterruptedException if the server stops
        T run() throws InterruptedException;
    }

    /// Runs what sends an answer. What it throws before the head of the answer is thrown on, for an
    /// answer that is an error as a whole.
    ///
    /// @param tell tells the client about a failure after the head
    /// @return the work's result; empty if it failed after the head
    /// @throws ClientGoneException if the client has closed the connection
    /// @throws InterruptedException if the server stops
    public <T> Optional<T> run(Work<T> work, Consumer<ApiException> tell) throws InterruptedException {
        try {
            return Optional.of(work.run());
        } catch (ClientGoneException e) {
            throw e;
        } catch (RuntimeException | Error e) {
            if (exchange.status() == 0) {
                throw e;
            }
            ApiException error = failures.report(exchange.line(), e);
            exchange.note("error", String.valueOf(error.code()));
            tell.accept(error);
            return Optional.empty();
        }
    }
}
