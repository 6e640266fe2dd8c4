package io.shadowkv.cli.serve;

import io.shadowkv.engine.serve.Engine;
import io.shadowkv.tensor.CloseAll;
import java.util.List;

/// The engines of a server, which are closed together.
///
/// @param engines at least one
record ServedEngines(List<Engine> engines) implements AutoCloseable {
    ServedEngines {
        engines = List.copyOf(engines);
    }

    Engine first() {
        return engines.getFirst();
    }

    /// Number of requests whose prompts are read or that decode.
    int running() {
        return engines.stream().mapToInt(Engine::runningRequests).sum();
    }

    /// Number of requests that wait for their turn.
    int waiting() {
        return engines.stream().mapToInt(Engine::waitingRequests).sum();
    }

    @Override
    public void close() {
        CloseAll.of(engines, Engine::close);
    }
}
