package io.shadowkv.server.structured;

import io.shadowkv.engine.TokenConstraint;
import io.shadowkv.text.grammar.GrammarState;

/// Restricts one sequence to the texts of a grammar. Used by the engine's thread.
final class GrammarConstraint implements TokenConstraint {
    private final GrammarState state;

    GrammarConstraint(GrammarState state) {
        this.state = state;
    }

    @Override
    public void allowed(int[] bits) {
        state.mask(bits);
    }

    @Override
    public void accept(int id) {
        state.accept(id);
    }
}
