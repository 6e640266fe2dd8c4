package io.shadowkv.engine.serve;

import io.shadowkv.engine.EngineUnavailableException;

/// A sequence that is to be submitted, and the generation that reports it.
record Submission(Generation generation, Runnable submit) implements LoopTask {
    @Override
    public void run() {
        submit.run();
    }

    @Override
    public void refuse(EngineUnavailableException reason) {
        generation.fail(reason);
    }

    @Override
    public boolean isRequest() {
        return true;
    }
}
